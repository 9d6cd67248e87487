import type { Queryable } from "@chirrup/platform";

import type { CountedPost, PostVersion } from "../domain/post.ts";
import { countedColumns } from "./post.ts";
import { joinCounts } from "./count.ts";

/** A post that nobody else edits or deletes until the transaction ends; undefined when there is none. */
export async function lockPost(tx: Queryable, postId: bigint): Promise<CountedPost | undefined> {
  // Not FOR UPDATE, which would keep everybody from liking it meanwhile.
  const [post] = await tx.query<CountedPost>({
    name: "lock-post",
    text: `
    select ${countedColumns} from posts as post ${joinCounts}
    where post.id = $1 for no key update of post`,
    values: [postId],
  });
  return post;
}

/**
 * Gives a locked post another content and keeps the one it had; answers the new version's id: `editId`, or the
 * lowest one above the version before, should that have come from a clock ahead of this one.
 */
export async function replaceContent(
  tx: Queryable,
  postId: bigint,
  { id: editId, content }: PostVersion,
): Promise<bigint> {
  const [edited] = await tx.query<{ editId: bigint }>({
    name: "replace-content",
    text: `
    with replaced as (
      insert into post_versions (post_id, id, content)
      select id, coalesce(edit_id, id), content from posts where id = $1
    )
    update posts set content = $3, edit_id = greatest($2, coalesce(edit_id, id) + 1)
    where id = $1 returning edit_id as "editId"`,
    values: [postId, editId, content],
  });
  if (edited === undefined) throw new Error("the post to be edited was not locked");
  return edited.editId;
}

/** A post's versions below an id, newest first; none when there is no such post. */
export function findVersions(
  db: Queryable,
  postId: bigint,
  before: bigint,
  limit: number,
): Promise<PostVersion[]> {
  return db.query<PostVersion>({
    name: "find-versions",
    brief: true,
    text: `
    select id, content from (
      select coalesce(edit_id, id) as id, content from posts where id = $1
      union all
      select id, content from post_versions where post_id = $1
    ) as version
    where id < $2 order by id desc limit $3`,
    values: [postId, before, limit],
  });
}
