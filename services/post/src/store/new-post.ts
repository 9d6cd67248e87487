import { appendEvents, type Queryable, topics } from "@chirrup/platform";

import type { Post } from "../domain/post.ts";
import { alive } from "./deleted-account.ts";

/** A post with the event that says that it is there. */
export interface NewPost extends Omit<Post, "editId"> {
  readonly eventId: bigint;
  /** Of the event's row in the outbox. */
  readonly payload: Uint8Array;
}

/**
 * Inserts posts and appends their events to the outbox, in the order of their ids; answers for each, in the order given,
 * whether it was inserted: it is not when its author's account was deleted. One statement: a round trip and a commit.
 */
export async function insertPosts(db: Queryable, posts: readonly NewPost[]): Promise<boolean[]> {
  const added = await db.query<{ id: bigint }>({
    name: "insert-posts",
    text: `
    with wanted as materialized (
      select id, author_id, content, event_id, payload, $6::text as topic, author_id::text as key
      from unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::bytea[])
        as wanted (id, author_id, content, event_id, payload)
      where ${alive("author_id")}
      order by id
    ), added as (
      insert into posts (id, author_id, content) select id, author_id, content from wanted
    ), told as (${appendEvents("wanted")})
    select id from wanted`,
    values: [
      posts.map(({ id }) => id),
      posts.map(({ authorId }) => authorId),
      posts.map(({ content }) => content),
      posts.map(({ eventId }) => eventId),
      posts.map(({ payload }) => payload),
      topics.posts,
    ],
  });
  if (added.length === posts.length) return posts.map(() => true);
  const ids = new Set(added.map(({ id }) => id));
  return posts.map(({ id }) => ids.has(id));
}
