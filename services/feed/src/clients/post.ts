import { type CallOptions, type Channel, createClient } from "@chirrup/grpc";
import { type Post, PostService } from "@chirrup/proto/chirrup/post/v1/post_service";
import { newest, type Slice, sliceOf } from "../domain/slice.ts";
import { chunksOf } from "../domain/chunks.ts";

/** What the feed asks of the post service. */
export interface PostClient {
  /**
   * The newest posts of 1 to 5,001 authors below the id `before` (`newest` for all), up to `limit`, 1 to
   * 1,000. Read from the primary.
   */
  listByAuthors(
    authorIds: readonly bigint[],
    range: { readonly before: bigint; readonly limit: number },
    options: CallOptions,
  ): Promise<Slice>;
  /** Those posts that exist, and which of them the caller likes. Any number of ids; one call per 100. */
  getPosts(
    postIds: readonly bigint[],
    options: CallOptions,
  ): Promise<{ posts: ReadonlyMap<bigint, Post>; likedIds: ReadonlySet<bigint> }>;
}

const maxIds = 100;

/** The post service at the other end of a channel. */
export function createPostClient(channel: Channel): PostClient {
  const client = createClient(PostService, channel);
  return {
    async listByAuthors(authorIds, { before, limit }, options) {
      const request = { authorIds: [...authorIds], before: before === newest ? 0n : before, limit };
      const { posts } = await client.listByAuthors(request, options);
      return sliceOf(
        posts.map(({ id, authorId }) => ({ postId: id, authorId })),
        limit,
      );
    },
    async getPosts(postIds, options) {
      const answers = await Promise.all(
        chunksOf(postIds, maxIds).map((ids) => client.batchGetPosts({ ids }, options)),
      );
      return {
        posts: new Map(answers.flatMap(({ posts }) => posts.map((post) => [post.id, post]))),
        likedIds: new Set(answers.flatMap(({ likedIds }) => likedIds)),
      };
    },
  };
}
