import { fromBinary } from "@bufbuild/protobuf";
import { Status } from "@chirrup/grpc";
import { EventSchema } from "@chirrup/proto/chirrup/events/v1/event";
import { waitFor } from "@chirrup/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import {
  as,
  codeOf,
  eraseAccount,
  type PostServiceUnderTest,
  putPost,
  startPostService,
} from "./post-service.ts";

let service: PostServiceUnderTest;
beforeAll(async () => {
  service = await startPostService();
});
afterAll(() => service[Symbol.asyncDispose]());

function consume(userId: bigint, signal?: AbortSignal): Promise<void> {
  return eraseAccount(service, userId, signal);
}

async function newPost(authorId: bigint): Promise<bigint> {
  const { post } = await service.client.createPost({ content: "hello" }, as(authorId));
  return post?.id ?? 0n;
}

async function deletedPosts(authorId: bigint): Promise<bigint[]> {
  const rows = await service.postgres.query<{ payload: Uint8Array }>({
    name: "test-deletions",
    text: "select payload from outbox where topic = 'posts' and key = $1 order by id",
    values: [String(authorId)],
  });
  return rows.flatMap(({ payload: bytes }) => {
    const { payload } = fromBinary(EventSchema, bytes);
    return payload.case === "postDeleted" ? [payload.value.postId] : [];
  });
}

describe("a deleted account", () => {
  it("takes its posts, comments, likes and kept answers with it, announces the posts, and counts right", async () => {
    const { client } = service;
    const own = [await newPost(1n), await newPost(1n)];
    const others = [await newPost(2n), await newPost(2n)];
    for (const postId of [...own, ...others]) {
      for (const userId of [1n, 2n, 3n]) {
        await client.likePost({ postId }, as(userId));
        await client.createComment({ postId, content: "hi" }, as(userId, `${postId}`));
        await client.createComment({ postId, content: "again" }, as(userId));
      }
    }
    await consume(1n);
    await consume(1n);

    expect((await client.batchGetPosts({ ids: [...own, ...others] })).posts).toMatchObject(
      others.map((id) => ({ id, likeCount: 2n, commentCount: 4n })),
    );
    for (const postId of others) {
      const { likes } = await client.listLikes({ postId });
      expect(likes.map(({ userId }) => userId)).toEqual([3n, 2n]);
      const { comments } = await client.listComments({ postId });
      expect(comments.map(({ authorId }) => authorId)).toEqual([3n, 3n, 2n, 2n]);
    }
    expect(await deletedPosts(1n)).toEqual(own);
    const kept = await service.postgres.query<{ caller: bigint }>({
      name: "test-answers",
      text: "select distinct caller_id as caller from idempotency_keys order by 1",
    });
    expect(kept.map(({ caller }) => caller)).toEqual([2n, 3n]);
  });

  it("can write no more, and write nothing that was under way", async () => {
    const { client, postgres } = service;
    const postId = await newPost(2n);
    let erased: Promise<void> | undefined;
    await postgres.transaction(async (tx) => {
      await putPost(tx, { id: 77n, authorId: 11n, content: "under way" });
      erased = consume(11n);
      await waitFor(async () => {
        const rows = await postgres.query({
          name: "test-noted",
          text: "select from deleted_accounts where user_id = 11",
        });
        return rows.length > 0;
      });
      const writes = [
        client.createPost({ content: "late" }, as(11n)),
        client.createComment({ postId, content: "late" }, as(11n)),
        client.likePost({ postId }, as(11n)),
      ];
      expect(await Promise.all(writes.map(codeOf))).toEqual(writes.map(() => Status.UNAUTHENTICATED));
    });
    await erased;
    expect(await codeOf(client.getPost({ postId: 77n }))).toBe(Status.NOT_FOUND);
    expect(await deletedPosts(11n)).toEqual([77n]);
    expect((await client.getPost({ postId })).post).toMatchObject({ likeCount: 0n, commentCount: 0n });
  });

  it("is finished by the event's repetition when the first one was stopped", async () => {
    const { postgres } = service;
    await postgres.query({
      name: "test-many-posts",
      text: "insert into posts (id, author_id, content) select n, 21, 'x' from generate_series(1000, 1129) n",
    });
    const stopping = new AbortController();
    const stopped = consume(21n, stopping.signal);
    await waitFor(async () => (await deletedPosts(21n)).length > 0, { intervalMs: 1 });
    stopping.abort(new Error("stopped"));
    await stopped.catch(() => undefined);
    await consume(21n);
    const ids = Array.from({ length: 130 }, (_, index) => BigInt(1000 + index));
    expect(await deletedPosts(21n)).toEqual(ids);
    expect((await service.client.listByAuthors({ authorIds: [21n], limit: 1 })).posts).toEqual([]);
  });

  it("leaves a post with more likes than one statement deletes", async () => {
    const { client, postgres } = service;
    const postId = await newPost(31n);
    await postgres.query({
      name: "test-many-likes",
      text: "insert into likes (post_id, user_id, id) select $1, n, n from generate_series(100000, 104500) n",
      values: [postId],
    });
    await consume(31n);
    expect(await codeOf(client.getPost({ postId }))).toBe(Status.NOT_FOUND);
    expect(await deletedPosts(31n)).toEqual([postId]);
  });
});
