/** The topics of the event log. One key of a topic stays in order; nothing is promised across topics. */
export const topics = {
  /** Keyed by author. */
  posts: "posts",
  /** Keyed by follower. */
  follows: "follows",
  /** Keyed by the user whose state moved. */
  celebrities: "celebrities",
  /** Keyed by user. */
  users: "users",
} as const;

export type Topic = (typeof topics)[keyof typeof topics];
