import type { FollowContext, Rpc } from "../context.ts";
import { listFollowers as read } from "../store/edges.ts";
import { readEdgePage } from "./edge-page.ts";

export function listFollowers(context: FollowContext): Rpc<"listFollowers"> {
  return async (request, call) => {
    const { edges, nextCursor } = await readEdgePage(context, { name: "followers", read }, request, call);
    return { followers: edges, nextCursor };
  };
}
