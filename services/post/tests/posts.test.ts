import { GrpcError, Status } from "@chirrup/grpc";
import { firstIdAt, idTimeMs } from "@chirrup/platform";
import { EventSchema } from "@chirrup/proto/chirrup/events/v1/event";
import { fromBinary } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { BadRequestSchema } from "@chirrup/proto/google/rpc/error_details";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import {
  as,
  codeOf,
  editWindowMs,
  type PostServiceUnderTest,
  putPost,
  startPostService,
} from "./post-service.ts";

let service: PostServiceUnderTest;
beforeAll(async () => {
  service = await startPostService();
});
afterAll(() => service[Symbol.asyncDispose]());

async function newPost(authorId: bigint, content = "hello"): Promise<bigint> {
  const { post } = await service.client.createPost({ content }, as(authorId));
  return post?.id ?? 0n;
}

/** The fields that a refused call names. */
async function wrongFields(call: Promise<unknown>): Promise<string[]> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof GrpcError) || error.code !== Status.INVALID_ARGUMENT)
    throw new Error("not refused", { cause: error });
  return error.details
    .filter(({ typeUrl }) => typeUrl.endsWith("/google.rpc.BadRequest"))
    .flatMap(({ value }) => fromBinary(BadRequestSchema, value).fieldViolations.map(({ field }) => field));
}

async function events(): Promise<string[]> {
  const rows = await service.postgres.query<{ topic: string; key: string; payload: Uint8Array }>({
    name: "test-events",
    text: "select topic, key, payload from outbox order by id",
  });
  return rows.map(({ topic, key, payload: bytes }) => {
    const { payload } = fromBinary(EventSchema, bytes);
    if (payload.case !== "postCreated" && payload.case !== "postUpdated" && payload.case !== "postDeleted")
      throw new Error("another service's event");
    return [topic, key, payload.case, payload.value.postId, payload.value.authorId].join(" ");
  });
}

describe("a post", () => {
  it("is answered as it was written, at its id's time", async () => {
    const before = Date.now();
    const { post: created } = await service.client.createPost({ content: " Cafe\u0301 🐦\n" }, as(1n));
    const { post, liked } = await service.client.getPost({ postId: created?.id ?? 0n }, as(2n));
    expect(post).toEqual(created);
    expect(post).toMatchObject({ authorId: 1n, content: " Café 🐦\n", likeCount: 0n, commentCount: 0n });
    expect(liked).toBe(false);
    const createdMs = post?.createdAt === undefined ? 0 : timestampMs(post.createdAt);
    expect(createdMs).toBe(idTimeMs(post?.id ?? 0n));
    expect(createdMs).toBeGreaterThanOrEqual(before - 2);
    expect(createdMs).toBeLessThanOrEqual(Date.now() + 2);
  });

  it("is announced with its write and its deletion, and by nothing else", async () => {
    const postId = await newPost(31n);
    await codeOf(service.client.createPost({ content: "" }, as(31n)));
    await codeOf(service.client.deletePost({ postId }, as(32n)));
    await service.client.deletePost({ postId }, as(31n));
    await codeOf(service.client.deletePost({ postId }, as(31n)));
    expect((await events()).filter((event) => event.includes(" 31 "))).toEqual([
      `posts 31 postCreated ${postId} 31`,
      `posts 31 postDeleted ${postId} 31`,
    ]);
  });

  it("is deleted by its author alone, with all that hangs on it", async () => {
    const { client } = service;
    const postId = await newPost(1n);
    const { comment } = await client.createComment({ postId, content: "first" }, as(2n));
    await client.likePost({ postId }, as(2n));
    expect(await codeOf(client.deletePost({ postId }, as(2n)))).toBe(Status.PERMISSION_DENIED);
    await client.deletePost({ postId }, as(1n));
    const late = [
      client.getPost({ postId }, as(1n)),
      client.deletePost({ postId }, as(1n)),
      client.listComments({ postId }, as(1n)),
      client.listLikes({ postId }, as(1n)),
      client.likePost({ postId }, as(1n)),
      client.unlikePost({ postId }, as(1n)),
      client.createComment({ postId, content: "late" }, as(1n)),
      client.deleteComment({ commentId: comment?.id ?? 0n }, as(2n)),
    ];
    expect(new Set(await Promise.all(late.map(codeOf)))).toEqual(new Set([Status.NOT_FOUND]));
    const left = await service.postgres.query({
      name: "test-left",
      text: `select post_id from comments where post_id = $1 union all select post_id from likes where post_id = $1
        union all select post_id from post_counts where post_id = $1`,
      values: [postId],
    });
    expect(left).toEqual([]);
  });
});

describe("an edit", () => {
  it("changes what a post says, keeps what it said, and is announced", async () => {
    const { client } = service;
    const { post: created } = await client.createPost({ content: "frist" }, as(71n));
    const postId = created?.id ?? 0n;
    expect(created?.editedAt).toBeUndefined();
    const { post: edited } = await client.updatePost({ postId, content: " Cafe\u0301" }, as(71n));
    expect(edited).toMatchObject({ id: postId, content: " Café", createdAt: created?.createdAt });
    const editedMs = edited?.editedAt === undefined ? 0 : timestampMs(edited.editedAt);
    expect(editedMs).toBeGreaterThanOrEqual(idTimeMs(postId));
    // The same content, as it is kept, is no edit.
    expect((await client.updatePost({ postId, content: " Café" }, as(71n))).post).toEqual(edited);
    expect((await client.getPost({ postId })).post).toEqual(edited);
    const { versions } = await client.listPostHistory({ postId });
    expect(versions.map(({ content }) => content)).toEqual([" Café", "frist"]);
    expect(versions[1]?.id).toBe(postId);
    expect((await events()).filter((event) => event.includes(" 71 "))).toEqual([
      `posts 71 postCreated ${postId} 71`,
      `posts 71 postUpdated ${postId} 71`,
    ]);
  });

  it("is the author's alone, of a post that is there and young enough", async () => {
    const { client, postgres } = service;
    const postId = await newPost(72n);
    const old = firstIdAt(Date.now() - editWindowMs - 1_000);
    await putPost(postgres, { id: old, authorId: 72n, content: "old" });
    const edit = (id: bigint, userId: bigint): Promise<Status> =>
      codeOf(client.updatePost({ postId: id, content: "new" }, as(userId)));
    expect(await edit(postId, 73n)).toBe(Status.PERMISSION_DENIED);
    expect(await edit(old, 73n)).toBe(Status.PERMISSION_DENIED);
    expect(await edit(old, 72n)).toBe(Status.FAILED_PRECONDITION);
    expect(await edit(5n, 72n)).toBe(Status.NOT_FOUND);
    expect((await client.getPost({ postId: old })).post).toMatchObject({ content: "old" });
    expect((await client.listPostHistory({ postId })).versions).toHaveLength(1);
    expect(await codeOf(client.listPostHistory({ postId: 5n }))).toBe(Status.NOT_FOUND);
  });

  it("made by several at once leaves each version once, and the last one in place", async () => {
    const { client } = service;
    const postId = await newPost(74n, "0");
    const texts = Array.from({ length: 12 }, (_, index) => String(index + 1));
    await Promise.all(texts.map((content) => client.updatePost({ postId, content }, as(74n))));
    const { versions } = await client.listPostHistory({ postId, pageSize: 100 });
    expect(versions.map(({ content }) => content).toSorted()).toEqual(["0", ...texts].toSorted());
    expect((await client.getPost({ postId })).post?.content).toBe(versions[0]?.content);
    await client.deletePost({ postId }, as(74n));
    expect(await codeOf(client.listPostHistory({ postId }))).toBe(Status.NOT_FOUND);
  });
});

describe("a batch", () => {
  it("keeps the order, once each, without what is missing, and tells what the caller likes", async () => {
    const { client } = service;
    const [first, second, third] = [await newPost(1n), await newPost(2n), await newPost(1n)];
    await client.likePost({ postId: second }, as(7n));
    await client.likePost({ postId: third }, as(8n));
    const ids = [third, 5n, first, third, second];
    const { posts, likedIds } = await client.batchGetPosts({ ids }, as(7n));
    expect(posts.map(({ id }) => id)).toEqual([third, first, second]);
    expect(posts.map(({ likeCount }) => likeCount)).toEqual([1n, 0n, 1n]);
    expect(likedIds).toEqual([second]);
    expect((await client.batchGetPosts({ ids })).likedIds).toEqual([]);
  });
});

describe("a look at posts that are known already", () => {
  const unknown = (ids: bigint[]) => ({
    ids,
    versionIds: ids.map(() => 0n),
    likeCounts: ids.map(() => 0n),
    commentCounts: ids.map(() => 0n),
  });

  it("has only those that are other than they are known, those that are gone, and each viewer's likes", async () => {
    const { client } = service;
    const [same, edited, liked, commented] = [
      await newPost(1n),
      await newPost(1n),
      await newPost(1n),
      await newPost(1n),
    ];
    const ids = [same, edited, liked, commented, 5n];
    const first = await client.viewPosts(unknown(ids));
    expect(new Set(first.posts.map(({ id }) => id))).toEqual(new Set(ids.slice(0, 4)));
    expect(first.versionIds).toEqual(first.posts.map(({ id }) => id));
    expect(first.goneIds).toEqual([5n]);

    await client.updatePost({ postId: edited, content: "another" }, as(1n));
    await client.likePost({ postId: liked }, as(7n));
    await client.createComment({ postId: commented, content: "well" }, as(8n));
    const viewers = [
      { viewerId: 7n, postIds: [same, liked] },
      { viewerId: 8n, postIds: [liked] },
    ];
    const known = { ...unknown(ids), versionIds: ids };
    const { posts, versionIds, goneIds, likes } = await client.viewPosts({ ...known, viewers });
    const { posts: whole } = await client.batchGetPosts({ ids: [edited, liked, commented] });
    expect(posts.toSorted((a, b) => (a.id < b.id ? -1 : 1))).toEqual(whole);
    expect(goneIds).toEqual([5n]);
    expect(likes).toMatchObject([{ viewerId: 7n, postIds: [liked] }]);
    const { versions } = await client.listPostHistory({ postId: edited });
    expect(versionIds[posts.findIndex(({ id }) => id === edited)]).toBe(versions[0]?.id);

    const byId = new Map(posts.map((post, index) => [post.id, { post, versionId: versionIds[index]! }]));
    const again = await client.viewPosts({
      ids,
      versionIds: ids.map((id) => byId.get(id)?.versionId ?? id),
      likeCounts: ids.map((id) => byId.get(id)?.post.likeCount ?? 0n),
      commentCounts: ids.map((id) => byId.get(id)?.post.commentCount ?? 0n),
    });
    expect(again).toMatchObject({ posts: [], goneIds: [5n], likes: [] });
  });

  it("is refused when the lists do not belong together", async () => {
    const { client } = service;
    const good = unknown([1n, 2n]);
    const wrong: [Parameters<typeof client.viewPosts>[0], string][] = [
      [{ ...good, ids: [1n, 1n] }, "ids"],
      [{ ...good, versionIds: [1n] }, "versionIds"],
      [{ ...good, likeCounts: [] }, "likeCounts"],
      [{ ...good, commentCounts: [0n, 0n, 0n] }, "commentCounts"],
      [{ ...good, viewers: [{ viewerId: 1n, postIds: Array.from({ length: 2_001 }, () => 1n) }] }, "viewers"],
    ];
    for (const [request, field] of wrong) {
      expect(await wrongFields(client.viewPosts(request))).toEqual([field]);
    }
  });
});

describe("comments and likes", () => {
  it("lets only the commenter delete a comment", async () => {
    const { client } = service;
    const postId = await newPost(1n);
    const { comment } = await client.createComment({ postId, content: "mine" }, as(2n));
    const commentId = comment?.id ?? 0n;
    expect(comment).toMatchObject({ postId, authorId: 2n, content: "mine" });
    expect(await codeOf(client.deleteComment({ commentId }, as(1n)))).toBe(Status.PERMISSION_DENIED);
    expect(await codeOf(client.deleteComment({ commentId }, as(2n)))).toBe(Status.OK);
    expect(await codeOf(client.deleteComment({ commentId }, as(2n)))).toBe(Status.NOT_FOUND);
    expect((await client.getPost({ postId })).post?.commentCount).toBe(0n);
  });

  it("keeps the first like's place when it comes twice", async () => {
    const { client } = service;
    const postId = await newPost(1n);
    for (const userId of [2n, 3n, 2n]) await client.likePost({ postId }, as(userId));
    const { likes } = await client.listLikes({ postId });
    expect(likes.map(({ userId }) => userId)).toEqual([3n, 2n]);
    await client.unlikePost({ postId }, as(2n));
    await client.unlikePost({ postId }, as(2n));
    expect(await client.getPost({ postId }, as(3n))).toMatchObject({ liked: true, post: { likeCount: 1n } });
  });
});

describe("lists", () => {
  it("page without a gap or a repeat, and end with an empty cursor", async () => {
    const { client } = service;
    const written: bigint[] = [];
    for (let i = 0; i < 7; i++) written.unshift(await newPost(41n));
    for (const pageSize of [1, 3, 7, 100, 101]) {
      const seen: bigint[] = [];
      let cursor = "";
      do {
        const page = await client.listUserPosts({ userId: 41n, cursor, pageSize });
        seen.push(...page.posts.map(({ id }) => id));
        cursor = page.nextCursor;
      } while (cursor !== "");
      expect(seen).toEqual(written);
    }
  });

  it("refuse another list's cursor", async () => {
    const { client } = service;
    const postId = await newPost(42n);
    await newPost(42n);
    const { nextCursor } = await client.listUserPosts({ userId: 42n, pageSize: 1 });
    expect(await wrongFields(client.listUserPosts({ userId: 41n, cursor: nextCursor }))).toEqual(["cursor"]);
    expect(await wrongFields(client.listComments({ postId, cursor: nextCursor }))).toEqual(["cursor"]);
    expect(await wrongFields(client.listLikes({ postId, cursor: "junk" }))).toEqual(["cursor"]);
  });

  it("tell a user without posts from no user", async () => {
    service.accounts.add(51n);
    expect(await service.client.listUserPosts({ userId: 51n })).toMatchObject({ posts: [], nextCursor: "" });
    expect(await codeOf(service.client.listUserPosts({ userId: 52n }))).toBe(Status.NOT_FOUND);
  });
});

describe("an idempotency key", () => {
  it("makes a repeated write one, with one answer", async () => {
    const { client } = service;
    const { post } = await client.createPost({ content: "once" }, as(61n, "k1"));
    expect((await client.createPost({ content: "once" }, as(61n, "k1"))).post).toEqual(post);
    expect((await client.listUserPosts({ userId: 61n })).posts).toHaveLength(1);
    expect(await codeOf(client.createPost({ content: "other" }, as(61n, "k1")))).toBe(
      Status.INVALID_ARGUMENT,
    );

    const comments = await Promise.all(
      Array.from({ length: 8 }, () =>
        client.createComment({ postId: post?.id ?? 0n, content: "x" }, as(61n, "k1")),
      ),
    );
    expect(new Set(comments.map(({ comment }) => comment?.id)).size).toBe(1);
    expect((await client.getPost({ postId: post?.id ?? 0n })).post?.commentCount).toBe(1n);
  });

  it("is free again when the write was refused", async () => {
    const { client } = service;
    expect(await codeOf(client.createComment({ postId: 5n, content: "x" }, as(62n, "k2")))).toBe(
      Status.NOT_FOUND,
    );
    const postId = await newPost(62n);
    expect(await codeOf(client.createComment({ postId, content: "x" }, as(62n, "k2")))).toBe(Status.OK);
  });
});

describe("a refusal", () => {
  it("names the wrong field", async () => {
    const { client } = service;
    const fields: [Promise<unknown>, string][] = [
      [client.createPost({ content: " \n" }, as(1n)), "content"],
      [client.createPost({ content: "x".repeat(5_001) }, as(1n)), "content"],
      [client.createPost({ content: "\0" }, as(1n)), "content"],
      [client.createComment({ postId: 1n, content: "" }, as(1n)), "content"],
      [client.createComment({ postId: 0n, content: "x" }, as(1n)), "postId"],
      [client.getPost({ postId: -1n }), "postId"],
      [client.batchGetPosts({ ids: [] }), "ids"],
      [client.batchGetPosts({ ids: Array.from({ length: 101 }, () => 1n) }), "ids"],
      [client.batchGetPosts({ ids: [1n, 0n] }), "ids"],
      [client.updatePost({ postId: 0n, content: "x" }, as(1n)), "postId"],
      [client.updatePost({ postId: 1n, content: " " }, as(1n)), "content"],
      [client.listPostHistory({ postId: 0n }), "postId"],
      [client.deletePost({ postId: 0n }, as(1n)), "postId"],
      [client.deleteComment({ commentId: 0n }, as(1n)), "commentId"],
      [client.listUserPosts({ userId: 0n }), "userId"],
      [client.listUserPosts({ userId: 1n, pageSize: -1 }), "pageSize"],
      [client.listByAuthors({ authorIds: [], limit: 1 }), "authorIds"],
      [client.listByAuthors({ authorIds: [1n], limit: 0 }), "limit"],
      [client.listByAuthors({ authorIds: [1n], limit: 1_001 }), "limit"],
      [client.listByAuthors({ authorIds: [1n], limit: 1, before: -1n }), "before"],
    ];
    const named = await Promise.all(fields.map(([call]) => wrongFields(call)));
    expect(named).toEqual(fields.map(([, field]) => [field]));
  });

  it("meets a write without a caller", async () => {
    const { client } = service;
    const writes = [
      client.createPost({ content: "x" }),
      client.updatePost({ postId: 1n, content: "x" }),
      client.deletePost({ postId: 1n }),
      client.createComment({ postId: 1n, content: "x" }),
      client.deleteComment({ commentId: 1n }),
      client.likePost({ postId: 1n }),
      client.unlikePost({ postId: 1n }),
    ];
    expect(new Set(await Promise.all(writes.map(codeOf)))).toEqual(new Set([Status.UNAUTHENTICATED]));
  });
});
