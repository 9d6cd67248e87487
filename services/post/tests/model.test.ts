import { GrpcError, Status } from "@chirrup/grpc";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type Action, createModel, type Model, type View } from "./model.ts";
import { as, eraseAccount, type PostServiceUnderTest, startPostService } from "./post-service.ts";

let service: PostServiceUnderTest;
beforeAll(async () => {
  service = await startPostService();
});
afterAll(() => service[Symbol.asyncDispose]());

const userCount = 4;
const does = fc.constantFrom(
  "edit" as const,
  "comment" as const,
  "like" as const,
  "unlike" as const,
  "deletePost" as const,
  "deleteComment" as const,
);
const plan = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ does: fc.constant("post" as const), user: fc.nat({ max: userCount - 1 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ does: fc.constant("leave" as const), user: fc.nat({ max: userCount - 1 }) }),
  },
  { weight: 12, arbitrary: fc.record({ does, user: fc.nat({ max: userCount - 1 }), pick: fc.nat() }) },
);
type Plan = typeof plan extends fc.Arbitrary<infer T> ? T : never;

/** The action that a plan means now: it picks among all that ever was, what is gone too. */
function actionOf(step: Plan, model: Model, users: readonly bigint[]): Action {
  const userId = users[step.user] ?? 0n;
  if (step.does === "leave") return { does: "leave", userId };
  if (step.does === "post") return { does: "post", userId, content: `by ${userId}` };
  const ids = step.does === "deleteComment" ? model.commentIds : model.postIds;
  const target = ids[step.pick % ids.length] ?? 1n;
  if (step.does === "edit") return { does: "edit", userId, target, content: `text ${step.pick % 3}` };
  return { does: step.does, userId, target };
}

/** Does it, and answers how it ended and the id of what it made. */
async function perform(action: Action): Promise<{ code: Status; newId: bigint }> {
  const { client } = service;
  const caller = as(action.userId);
  try {
    switch (action.does) {
      case "leave":
        await eraseAccount(service, action.userId);
        return made(undefined);
      case "post":
        return made((await client.createPost({ content: action.content }, caller)).post);
      case "edit": {
        const { post } = await client.updatePost({ postId: action.target, content: action.content }, caller);
        return made(post);
      }
      case "comment":
        return made((await client.createComment({ postId: action.target, content: "x" }, caller)).comment);
      case "like":
        return made(await client.likePost({ postId: action.target }, caller));
      case "unlike":
        return made(await client.unlikePost({ postId: action.target }, caller));
      case "deletePost":
        return made(await client.deletePost({ postId: action.target }, caller));
      case "deleteComment":
        return made(await client.deleteComment({ commentId: action.target }, caller));
    }
  } catch (error) {
    if (error instanceof GrpcError) return { code: error.code, newId: 0n };
    throw error;
  }
}

function made(thing: object | undefined): { code: Status; newId: bigint } {
  return { code: Status.OK, newId: thing !== undefined && "id" in thing ? BigInt(String(thing.id)) : 0n };
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

/** All that the service shows, read through every list by pages of some size. */
async function viewOf(users: readonly bigint[], viewerId: bigint, pageSize: number): Promise<View> {
  const { client } = service;
  const { posts: refs } = await client.listByAuthors({ authorIds: [...users], limit: 1_000 });
  const byAuthor = await Promise.all(
    users.map((userId) =>
      everyPage(async (cursor) => {
        const page = await client.listUserPosts({ userId, cursor, pageSize });
        return { rows: page.posts, nextCursor: page.nextCursor };
      }),
    ),
  );
  const listed = new Map(byAuthor.flat().map((post) => [post.id, post]));
  const ids = refs.map(({ id }) => id);
  if (ids.length === 0) return { posts: [] };
  const { posts, likedIds } = await client.batchGetPosts({ ids }, as(viewerId));
  expect(posts).toEqual(ids.map((id) => listed.get(id)));
  expect(listed.size).toBe(ids.length);

  const views = posts.map(async ({ id, authorId, content, createdAt, editedAt, likeCount, commentCount }) => {
    const likes = await everyPage(async (cursor) => {
      const page = await client.listLikes({ postId: id, cursor, pageSize });
      return { rows: page.likes, nextCursor: page.nextCursor };
    });
    const comments = await everyPage(async (cursor) => {
      const page = await client.listComments({ postId: id, cursor, pageSize });
      return { rows: page.comments, nextCursor: page.nextCursor };
    });
    const versions = await everyPage(async (cursor) => {
      const page = await client.listPostHistory({ postId: id, cursor, pageSize });
      return { rows: page.versions, nextCursor: page.nextCursor };
    });
    expect(versions[0]).toMatchObject({ content, createdAt: editedAt ?? createdAt });
    expect(versions.at(-1)).toMatchObject({ id, createdAt });
    expect(editedAt === undefined).toBe(versions.length === 1);
    return {
      id,
      authorId,
      content,
      earlier: versions.slice(1).map((version) => version.content),
      likeCount: Number(likeCount),
      commentCount: Number(commentCount),
      liked: likedIds.includes(id),
      likedBy: likes.map(({ userId }) => userId),
      comments: comments.map((comment) => ({ id: comment.id, authorId: comment.authorId })),
    };
  });
  return { posts: await Promise.all(views) };
}

describe("the post service", () => {
  it("ends and shows what the simplest program would, after any actions", async () => {
    let lastUser = 1_000n;
    const plans = fc.array(plan, { minLength: 10, maxLength: 60, size: "max" });
    await fc.assert(
      fc.asyncProperty(plans, fc.integer({ min: 1, max: 5 }), async (steps, pageSize) => {
        const users = Array.from({ length: userCount }, () => ++lastUser);
        for (const userId of users) service.accounts.add(userId);
        const model = createModel();
        for (const step of steps) {
          const action = actionOf(step, model, users);
          const { code, newId } = await perform(action);
          expect({ action, code }).toEqual({ action, code: model.apply(action, newId) });
        }
        const viewerId = users[0] ?? 0n;
        expect(await viewOf(users, viewerId, pageSize)).toEqual(model.view(viewerId));
      }),
      { numRuns: 25 },
    );
  }, 120_000);
});
