import { coalesce, peerCallOptions } from "@chirrup/platform";
import { type CallOptions, keepEncoded } from "@chirrup/grpc";
import { type Post, PostSchema } from "@chirrup/proto/chirrup/post/v1/post_service";
import type { PostClient, VersionedPost, Viewer } from "../clients/post.ts";
import { createKept } from "../domain/kept.ts";
import type { PageCall } from "../domain/page-call.ts";
import { wroteTo } from "../domain/wrote-to.ts";
import { patienceMs } from "./patience.ts";

/** Posts, as their owner has them when they are asked for. */
export interface Posts {
  /** Who wrote a post, if that is known here. */
  authorOf(postId: bigint): bigint | undefined;
  /**
   * At most 101 posts as a reader sees them. One rpc, which pages that ask at the same time share; one of its own for
   * a call that says how fresh the answer must be, by a token of the post service or otherwise.
   */
  view(postIds: readonly bigint[], readerId: bigint, call: PageCall): Promise<SeenPosts>;
}

export interface SeenPosts {
  /** Those that exist. */
  readonly posts: ReadonlyMap<bigint, Post>;
  /** Those that the reader likes. */
  readonly likedIds: ReadonlySet<bigint>;
}

export interface PostsContext {
  readonly posts: PostClient;
  /** Memory for what is kept, about. */
  readonly maxBytes: number;
  /** Aborted when the process stops. */
  readonly signal: AbortSignal;
}

/** So many of the largest pages fit into one rpc. */
const maxPages = 19;
/** What a post takes beside its texts: the message, its ids and counts, and its place. */
const bytesBesideTexts = 600;

interface KeptPost extends VersionedPost {
  readonly bytes: number;
}

/**
 * Keeps posts, and asks their owner with each page which of them are other than they are kept: an edit, a deletion and a
 * count hold from their commit on, like they would without anything kept. What is saved is sending, reading and
 * encoding what has not changed, and what an rpc costs, which grows with its number more than with its size.
 *
 * Why no event invalidates anything: a page asks the post service whether its reader likes the posts, and that answer
 * costs the more by a probe of an index for each post. What was compared needs no invalidation that could come late.
 *
 * Why a page shows what was kept when it asked, and not what is kept when it is answered: another answer, older or
 * from a replica further behind, may have come between. Whatever is kept is told to the owner, so none of it has to
 * be the newest.
 */
export function createPosts({ posts: client, maxBytes, signal }: PostsContext): Posts {
  const kept = createKept<KeptPost>(maxBytes, ({ bytes }) => bytes);

  async function ask(viewers: readonly Viewer[], options: CallOptions): Promise<SeenPosts[]> {
    const asked = new Map<bigint, VersionedPost | undefined>();
    for (const { postIds } of viewers) for (const id of postIds) asked.set(id, kept.use(id));
    const { changed, goneIds, likedIds } = await client.viewPosts(asked, viewers, options);
    for (const version of changed) {
      const bytes =
        keepEncoded(PostSchema, version.post) + 2 * version.post.content.length + bytesBesideTexts;
      kept.keep(version.post.id, { ...version, bytes });
      asked.set(version.post.id, version);
    }
    for (const id of goneIds) {
      kept.drop(id);
      asked.delete(id);
    }
    return viewers.map(({ viewerId, postIds }) => {
      const posts = new Map<bigint, Post>();
      for (const id of postIds) {
        const version = asked.get(id);
        if (version !== undefined) posts.set(id, version.post);
      }
      return { posts, likedIds: new Set(likedIds.get(viewerId)) };
    });
  }

  const askTogether = coalesce<Viewer, SeenPosts>(
    maxPages,
    (_, viewers) => ask(viewers, peerCallOptions({ signal, readsPrimary: false })),
    { patienceMs },
  );
  return {
    authorOf: (postId) => kept.peek(postId)?.post.authorId,
    async view(postIds, readerId, call) {
      if (postIds.length === 0) return { posts: new Map(), likedIds: new Set() };
      const viewer = { viewerId: readerId, postIds };
      if (!call.readsPrimary && !wroteTo(call, "post")) return askTogether(0n, viewer);
      const [seen] = await ask([viewer], call.onward());
      if (seen === undefined) throw new Error("a page was not answered");
      return seen;
    },
  };
}
