import type { FollowContext, Rpc } from "../context.ts";
import { listFollowing as read } from "../store/edges.ts";
import { readEdgePage } from "./edge-page.ts";

export function listFollowing(context: FollowContext): Rpc<"listFollowing"> {
  return async (request, call) => {
    const { edges, nextCursor } = await readEdgePage(context, { name: "following", read }, request, call);
    return { following: edges, nextCursor };
  };
}
