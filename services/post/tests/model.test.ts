import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { as, codeOf, type PostServiceUnderTest, startPostService } from "./post-service.ts";
import { Status } from "@chirrup/grpc";

let service: PostServiceUnderTest;
beforeAll(async () => {
  service = await startPostService();
});
afterAll(() => service[Symbol.asyncDispose]());

/** A post as the simplest program would keep it. Ids grow, so the last of an array is the newest. */
interface ModelPost {
  readonly id: bigint;
  readonly authorId: bigint;
  readonly content: string;
  readonly comments: { readonly id: bigint; readonly authorId: bigint }[];
  readonly likes: bigint[];
}

const user = fc.integer({ min: 0, max: 3 });
/** Which of the posts there have been, the deleted ones too. */
const pick = fc.nat({ max: 1_000 });
const operation = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant("post" as const),
      user,
      content: fc.string({ minLength: 1, maxLength: 5 }).map((text) => `${text}.`),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constantFrom("comment" as const, "like" as const, "unlike" as const),
      user,
      pick,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ op: fc.constantFrom("delete" as const, "deleteComment" as const), user, pick }),
  },
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

/** Applies an operation to the service and to the model, and expects one outcome. */
async function apply(
  step: Operation,
  history: ModelPost[],
  gone: Set<bigint>,
  userOf: (n: number) => bigint,
): Promise<void> {
  const { client } = service;
  const userId = userOf(step.user);
  if (step.op === "post") {
    const { post } = await client.createPost({ content: step.content }, as(userId));
    history.push({ id: post?.id ?? 0n, authorId: userId, content: step.content, comments: [], likes: [] });
    return;
  }
  const post = history[step.pick % Math.max(history.length, 1)];
  if (post === undefined) return;
  const there = !gone.has(post.id);
  const found = there ? Status.OK : Status.NOT_FOUND;
  const postId = post.id;
  switch (step.op) {
    case "comment": {
      if (!there)
        return expect(await codeOf(client.createComment({ postId, content: "x" }, as(userId)))).toBe(found);
      const { comment } = await client.createComment({ postId, content: "x" }, as(userId));
      post.comments.push({ id: comment?.id ?? 0n, authorId: userId });
      return;
    }
    case "like":
      expect(await codeOf(client.likePost({ postId }, as(userId)))).toBe(found);
      if (there && !post.likes.includes(userId)) post.likes.push(userId);
      return;
    case "unlike":
      expect(await codeOf(client.unlikePost({ postId }, as(userId)))).toBe(found);
      if (there && post.likes.includes(userId)) post.likes.splice(post.likes.indexOf(userId), 1);
      return;
    case "delete": {
      const mine = post.authorId === userId;
      expect(await codeOf(client.deletePost({ postId }, as(userId)))).toBe(
        there && !mine ? Status.PERMISSION_DENIED : found,
      );
      if (mine) gone.add(postId);
      return;
    }
    case "deleteComment": {
      const index = post.comments.length - 1;
      const comment = post.comments[index];
      if (comment === undefined) return;
      const mine = comment.authorId === userId;
      expect(await codeOf(client.deleteComment({ commentId: comment.id }, as(userId)))).toBe(
        there && !mine ? Status.PERMISSION_DENIED : found,
      );
      if (there && mine) post.comments.splice(index, 1);
    }
  }
}

async function everyPage<T>(
  read: (cursor: string) => Promise<{ rows: T[]; nextCursor: string }>,
): Promise<T[]> {
  const all: T[] = [];
  for (let cursor = ""; ;) {
    const { rows, nextCursor } = await read(cursor);
    all.push(...rows);
    if (nextCursor === "") return all;
    cursor = nextCursor;
  }
}

/** Expects every read to say what the model says. */
async function compare(
  history: ModelPost[],
  gone: ReadonlySet<bigint>,
  users: readonly bigint[],
  pageSize: number,
): Promise<void> {
  const { client } = service;
  const posts = history.filter(({ id }) => !gone.has(id)).toReversed();
  const viewer = users[0] ?? 0n;

  for (const userId of users) {
    const listed = await everyPage(async (cursor) => {
      const page = await client.listUserPosts({ userId, cursor, pageSize });
      return { rows: page.posts, nextCursor: page.nextCursor };
    });
    expect(listed.map((post) => [post.id, post.content, post.likeCount, post.commentCount])).toEqual(
      posts
        .filter(({ authorId }) => authorId === userId)
        .map((post) => [post.id, post.content, BigInt(post.likes.length), BigInt(post.comments.length)]),
    );
  }
  for (const { id: postId, likes, comments } of posts) {
    const liking = await everyPage(async (cursor) => {
      const page = await client.listLikes({ postId, cursor, pageSize });
      return { rows: page.likes, nextCursor: page.nextCursor };
    });
    expect(liking.map(({ userId }) => userId)).toEqual(likes.toReversed());
    const said = await everyPage(async (cursor) => {
      const page = await client.listComments({ postId, cursor, pageSize });
      return { rows: page.comments, nextCursor: page.nextCursor };
    });
    expect(said.map(({ id, authorId }) => ({ id, authorId }))).toEqual(comments.toReversed());
    expect((await client.getPost({ postId }, as(viewer))).liked).toBe(likes.includes(viewer));
  }
  const asked = history.slice(-100).map(({ id }) => id);
  if (asked.length > 0) {
    const { posts: found, likedIds } = await client.batchGetPosts({ ids: asked }, as(viewer));
    expect(found.map(({ id }) => id)).toEqual(asked.filter((id) => !gone.has(id)));
    expect(likedIds).toEqual(
      asked.filter((id) => posts.some((post) => post.id === id && post.likes.includes(viewer))),
    );
  }
}

describe("the post service", () => {
  it("answers as the simplest program would, after any operations", async () => {
    let lastUser = 1_000n;
    const histories = fc.tuple(
      fc.array(operation, { minLength: 5, maxLength: 40 }),
      fc.integer({ min: 1, max: 4 }),
    );
    await fc.assert(
      fc.asyncProperty(histories, async ([steps, pageSize]) => {
        const base = (lastUser += 10n);
        const users = [0n, 1n, 2n, 3n].map((n) => base + n);
        for (const userId of users) service.accounts.add(userId);
        const history: ModelPost[] = [];
        const gone = new Set<bigint>();
        for (const step of steps) await apply(step, history, gone, (n) => base + BigInt(n));
        await compare(history, gone, users, pageSize);
      }),
      { numRuns: 40 },
    );
  });
});
