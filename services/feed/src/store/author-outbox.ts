import { createTimelines, type TimelineOptions, type Timelines } from "./timeline.ts";

/** Of an outbox nobody is unfollowed, so there are no posts of an author to take out; and nothing is kept beside it. */
export type AuthorOutboxes = Omit<Timelines, "version" | "removePosts" | "readBeside">;

/** `outbox:{author}`: an author's own recent posts, kept for those who are read at request time. */
export function createAuthorOutboxes(options: Omit<TimelineOptions, "prefix">): AuthorOutboxes {
  const timelines = createTimelines({ ...options, prefix: "outbox:" });
  return {
    ...timelines,
    async read(authorIds, before, limit) {
      const slices = await timelines.read(authorIds, before, limit);
      return slices.map((slice, at) => {
        const authorId = authorIds[at];
        if (slice === undefined || authorId === undefined) return slice;
        return { ...slice, entries: slice.entries.map(({ postId }) => ({ postId, authorId })) };
      });
    },
  };
}
