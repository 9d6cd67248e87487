import { type CallOptions, type Channel, createClient } from "@chirrup/grpc";
import { type Post, PostService } from "@chirrup/proto/chirrup/post/v1/post_service";
import { newest, type Slice, sliceOf } from "../domain/slice.ts";

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
  /**
   * Which of up to 2,000 posts are not as they are known here, and which of theirs some viewers like. What the answer
   * does not name is as it is known.
   */
  viewPosts(
    known: ReadonlyMap<bigint, VersionedPost | undefined>,
    viewers: readonly Viewer[],
    options: CallOptions,
  ): Promise<PostChanges>;
}

/** What a post says, and what has been made of it. */
export interface VersionedPost {
  readonly post: Post;
  /** Another one after each edit. */
  readonly versionId: bigint;
}

export interface Viewer {
  readonly viewerId: bigint;
  readonly postIds: readonly bigint[];
}

interface PostChanges {
  readonly changed: readonly VersionedPost[];
  readonly goneIds: readonly bigint[];
  /** By viewer; none for those who like none. */
  readonly likedIds: ReadonlyMap<bigint, readonly bigint[]>;
}

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
    async viewPosts(known, viewers, options) {
      const request = {
        ids: [] as bigint[],
        versionIds: [] as bigint[],
        likeCounts: [] as bigint[],
        commentCounts: [] as bigint[],
        viewers: viewers.map(({ viewerId, postIds }) => ({ viewerId, postIds: [...postIds] })),
      };
      for (const [postId, version] of known) {
        request.ids.push(postId);
        request.versionIds.push(version?.versionId ?? 0n);
        request.likeCounts.push(version?.post.likeCount ?? 0n);
        request.commentCounts.push(version?.post.commentCount ?? 0n);
      }
      const { posts, versionIds, goneIds, likes } = await client.viewPosts(request, options);
      return {
        changed: posts.map((post, index) => ({ post, versionId: versionIds[index] ?? 0n })),
        goneIds,
        likedIds: new Map(likes.map(({ viewerId, postIds }) => [viewerId, postIds])),
      };
    },
  };
}
