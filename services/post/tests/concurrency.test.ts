import { fromBinary } from "@bufbuild/protobuf";
import { Status } from "@chirrup/grpc";
import { EventSchema } from "@chirrup/proto/chirrup/events/v1/event";
import { waitFor } from "@chirrup/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { deletePostOf } from "../src/store/post.ts";
import { insertLikes } from "../src/store/like.ts";
import { as, codeOf, eraseAccount, type PostServiceUnderTest, startPostService } from "./post-service.ts";

let service: PostServiceUnderTest;
beforeAll(async () => {
  service = await startPostService();
});
afterAll(() => service[Symbol.asyncDispose]());

async function newPost(): Promise<bigint> {
  const { post } = await service.client.createPost({ content: "viral" }, as(1n));
  return post?.id ?? 0n;
}

async function rowsOf(postId: bigint): Promise<Record<"likes" | "comments" | "counts", bigint>> {
  const [rows] = await service.postgres.query<Record<"likes" | "comments" | "counts", bigint>>({
    name: "test-rows",
    text: `select (select count(*) from likes where post_id = $1) as likes,
      (select count(*) from comments where post_id = $1) as comments,
      (select count(*) from post_counts where post_id = $1) as counts`,
    values: [postId],
  });
  if (rows === undefined) throw new Error("no answer");
  return rows;
}

/** How many sessions of this database wait for a lock. */
async function waiting(): Promise<bigint> {
  const [sessions] = await service.postgres.query<{ waiting: bigint }>({
    name: "test-waiting",
    text: `select count(*) as waiting from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`,
  });
  return sessions?.waiting ?? 0n;
}

describe("posts at once", () => {
  it("share statements, and their authors' events are in the order of their posts", async () => {
    const { client, postgres } = service;
    const authors = Array.from({ length: 60 }, (_, index) => BigInt(500 + (index % 3)));
    const posts = await Promise.all(
      authors.map((authorId) => client.createPost({ content: `of ${authorId}` }, as(authorId))),
    );
    const written = posts.flatMap(({ post }) => post ?? []);
    expect(written.map(({ authorId }) => authorId)).toEqual(authors);
    const rows = await postgres.query<{ payload: Buffer; key: string; transaction: string }>({
      name: "test-told",
      text: `select payload, key, xmin::text as transaction from outbox
        where key in ('500', '501', '502') order by ctid`,
    });
    const told = rows.map(({ payload, key }) => {
      const { payload: of } = fromBinary(EventSchema, payload);
      return of.case === "postCreated" ? [key, of.value.postId] : [];
    });
    for (const authorId of new Set(authors)) {
      const ofAuthor = written.filter((post) => post.authorId === authorId).map(({ id }) => id);
      expect(told.filter(([key]) => key === String(authorId)).map(([, id]) => id)).toEqual(ofAuthor);
    }
    expect(new Set(rows.map(({ transaction }) => transaction)).size).toBeLessThan(written.length / 2);
  });

  it("of a deleted account are refused alone", async () => {
    const { client } = service;
    await eraseAccount(service, 7_001n);
    const authors = Array.from({ length: 20 }, (_, index) => BigInt(7_000 + (index % 2)));
    const codes = await Promise.all(
      authors.map((authorId) => codeOf(client.createPost({ content: "too late?" }, as(authorId)))),
    );
    expect(codes).toEqual(
      authors.map((authorId) => (authorId === 7_001n ? Status.UNAUTHENTICATED : Status.OK)),
    );
    const { posts } = await client.listUserPosts({ userId: 7_000n, pageSize: 100 });
    expect(posts).toHaveLength(10);
  });
});

describe("many at once", () => {
  it("are counted exactly, repeated and contrary ones too", async () => {
    const { client } = service;
    const postId = await newPost();
    const users = Array.from({ length: 50 }, (_, index) => BigInt(100 + index));
    // The odd ones take it back; each call comes twice, all at once.
    await Promise.all(
      users.flatMap((userId) => [
        client.likePost({ postId }, as(userId)),
        client.likePost({ postId }, as(userId)),
      ]),
    );
    expect((await client.getPost({ postId })).post?.likeCount).toBe(50n);
    const odd = users.filter((userId) => userId % 2n === 1n);
    await Promise.all([
      ...odd.flatMap((userId) => [
        client.unlikePost({ postId }, as(userId)),
        client.unlikePost({ postId }, as(userId)),
      ]),
      ...users.map((userId) => client.createComment({ postId, content: "!" }, as(userId))),
      ...users
        .filter((userId) => userId % 2n === 0n)
        .map((userId) => client.likePost({ postId }, as(userId))),
    ]);
    expect((await client.getPost({ postId })).post).toMatchObject({ likeCount: 25n, commentCount: 50n });
    expect(await rowsOf(postId)).toMatchObject({ likes: 25n, comments: 50n });
  });

  it("likes and unlikes of the same few users leave a count that is the number of likes", async () => {
    const { client } = service;
    const postId = await newPost();
    await Promise.all(
      Array.from({ length: 200 }, (_, index) => {
        const caller = as(BigInt(200 + (index % 5)));
        return index % 2 === 0 ? client.likePost({ postId }, caller) : client.unlikePost({ postId }, caller);
      }),
    );
    expect((await client.getPost({ postId })).post?.likeCount).toBe((await rowsOf(postId)).likes);
  });

  it("of two services over one database are counted exactly", async () => {
    await using other = await startPostService({ url: service.url });
    const postId = await newPost();
    const clients = [service.client, other.client];
    await Promise.all(
      Array.from({ length: 620 }, (_, index) => {
        const client = clients[index % 2] ?? service.client;
        // Of the others each may have taken the like back last; these never do.
        if (index >= 600) return client.likePost({ postId }, as(BigInt(index)));
        const caller = as(BigInt(500 + ((index * 7) % 40)));
        return index % 3 === 0 ? client.unlikePost({ postId }, caller) : client.likePost({ postId }, caller);
      }),
    );
    const { likes } = await rowsOf(postId);
    expect((await service.client.getPost({ postId })).post?.likeCount).toBe(likes);
    expect(likes).toBeGreaterThanOrEqual(20n);
  });

  it("meet the deletion of the post without an orphan or a failure", async () => {
    const { client } = service;
    for (let round = 0; round < 10; round++) {
      const postId = await newPost();
      const { comment } = await client.createComment({ postId, content: "early" }, as(3n));
      const users = Array.from({ length: 30 }, (_, index) => BigInt(300 + index));
      const write = (userId: bigint): Promise<Status>[] => [
        codeOf(client.likePost({ postId }, as(userId))),
        codeOf(client.createComment({ postId, content: "x" }, as(userId))),
        codeOf(client.unlikePost({ postId }, as(userId))),
      ];
      const codes = await Promise.all([
        ...users.slice(0, 10).flatMap(write),
        codeOf(client.deleteComment({ commentId: comment?.id ?? 0n }, as(3n))),
        codeOf(client.deletePost({ postId }, as(1n))),
        ...users.slice(10).flatMap(write),
      ]);
      expect(codes.filter((code) => code !== Status.OK && code !== Status.NOT_FOUND)).toEqual([]);
      expect(await rowsOf(postId)).toEqual({ likes: 0n, comments: 0n, counts: 0n });
    }
  });

  it("wait for a deletion that is under way, and find no post", async () => {
    const { client, postgres } = service;
    const postId = await newPost();
    const { comment } = await client.createComment({ postId, content: "early" }, as(3n));
    await client.likePost({ postId }, as(3n));
    const late = await postgres.transaction(async (tx) => {
      await deletePostOf(tx, 1n, postId);
      const codes = [
        codeOf(client.likePost({ postId }, as(4n))),
        codeOf(client.unlikePost({ postId }, as(3n))),
        codeOf(client.createComment({ postId, content: "late" }, as(4n))),
        codeOf(client.deleteComment({ commentId: comment?.id ?? 0n }, as(3n))),
      ];
      await waitFor(async () => (await waiting()) === 4n, { what: "four who wait for the lock" });
      return { codes };
    });
    expect(await Promise.all(late.codes)).toEqual(late.codes.map(() => Status.NOT_FOUND));
    expect(await rowsOf(postId)).toEqual({ likes: 0n, comments: 0n, counts: 0n });
  });

  it("are waited for by a deletion, which takes them with it", async () => {
    const { client, postgres } = service;
    const postId = await newPost();
    const deletion = await postgres.transaction(async (tx) => {
      await insertLikes(tx, postId, [{ id: 1n, userId: 5n }]);
      const code = codeOf(client.deletePost({ postId }, as(1n)));
      await waitFor(async () => (await waiting()) === 1n, { what: "a deletion that waits" });
      return { code };
    });
    expect(await deletion.code).toBe(Status.OK);
    expect(await rowsOf(postId)).toEqual({ likes: 0n, comments: 0n, counts: 0n });
  });

  it("delete a post once", async () => {
    const postId = await newPost();
    const codes = await Promise.all(
      Array.from({ length: 10 }, () => codeOf(service.client.deletePost({ postId }, as(1n)))),
    );
    expect(codes.filter((code) => code === Status.OK)).toHaveLength(1);
    expect(codes.filter((code) => code === Status.NOT_FOUND)).toHaveLength(9);
  });
});
