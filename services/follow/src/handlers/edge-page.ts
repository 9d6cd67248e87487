import type { MessageInitShape } from "@bufbuild/protobuf";
import { pageSize, type Call, type Queryable } from "@chirrup/platform";
import type { FollowSchema } from "@chirrup/proto/chirrup/follow/v1/follow_service";
import type { FollowContext } from "../context.ts";
import { toFollow, type ListedEdge } from "../domain/edge.ts";
import { requireUserId } from "../domain/user-id.ts";
import type { ListWindow } from "../store/edges.ts";

/** What ListFollowers and ListFollowing are asked. */
export interface EdgePageRequest {
  readonly userId: bigint;
  readonly cursor: string;
  readonly pageSize: number;
}

/** One page of a list of edges, newest first. */
export interface EdgePage {
  readonly edges: MessageInitShape<typeof FollowSchema>[];
  /** Empty at the end. */
  readonly nextCursor: string;
}

/**
 * Reads one page of a user's edges. A cursor serves the list and the user that it was made for.
 *
 * One edge more than the page holds is read, to know the end. The user service is asked only when the
 * first page is empty: an edge proves that its user exists.
 */
export async function readEdgePage(
  { reads, cursors, users }: Pick<FollowContext, "reads" | "cursors" | "users">,
  list: { name: string; read: (db: Queryable, window: ListWindow) => Promise<ListedEdge[]> },
  request: EdgePageRequest,
  call: Call,
): Promise<EdgePage> {
  const { userId } = request;
  requireUserId(userId);
  const scope = `${list.name}:${userId}`;
  const before = cursors.decode(scope, request.cursor);
  const size = pageSize(request.pageSize);

  const found = await list.read(reads.of(call), { userId, before, limit: size + 1 });
  if (found.length === 0 && before === undefined) await users.requireExisting(userId, call);

  const page = found.slice(0, size);
  const last = found.length > size ? page.at(-1) : undefined;
  return { edges: page.map(toFollow), nextCursor: last === undefined ? "" : cursors.encode(scope, last.id) };
}
