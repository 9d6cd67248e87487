/** How many followers a fan-out is given at a time. */
export const followerPage = { default: 1_000, max: 5_000 };
