import type { Call } from "@chirrup/platform";

/** What a page uses of the call that it answers. */
export type PageCall = Pick<Call, "consistency" | "readsPrimary" | "log" | "onward">;
