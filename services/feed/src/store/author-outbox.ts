import { createTimelines, type TimelineOptions, type Timelines } from "./timeline.ts";

/** Of an outbox nobody is unfollowed, so there is no author to take out. */
export type AuthorOutboxes = Omit<Timelines, "version" | "removeAuthor">;

/** `outbox:{author}`: an author's own recent posts, kept for those who are read at request time. */
export function createAuthorOutboxes(options: Omit<TimelineOptions, "prefix">): AuthorOutboxes {
  return createTimelines({ ...options, prefix: "outbox:" });
}
