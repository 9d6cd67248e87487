import { waitFor } from "@chirrup/testkit";
import { describe, expect, it } from "vitest";
import { call, feedOf, newPerson, postAs } from "./support/api.ts";

describe("a person's way through the platform", () => {
  it("registers, follows, posts, reads, likes, comments, deletes and unfollows", async () => {
    const [ann, bob] = await Promise.all([newPerson("ann"), newPerson("bob")]);

    expect((await call("PUT", `/api/v1/users/${ann.id}/follow`, { token: bob.token })).json).toEqual({});
    const postId = await postAs(ann, "Hello from Ann ✨");
    const seen = await waitFor(async () => (await feedOf(bob)).items.find(({ post }) => post.id === postId), {
      what: "the post in the follower's feed",
    });
    expect(seen).toMatchObject({
      post: { id: postId, authorId: ann.id, content: "Hello from Ann ✨", likeCount: "0", commentCount: "0" },
      author: { id: ann.id, username: ann.username },
      liked: false,
    });
    expect((await feedOf(ann)).items.map(({ post }) => post.id)).toEqual([postId]);

    for (let twice = 0; twice < 2; twice += 1) {
      expect((await call("PUT", `/api/v1/posts/${postId}/like`, { token: bob.token })).json).toEqual({});
    }
    const comment = await call("POST", `/api/v1/posts/${postId}/comments`, {
      token: bob.token,
      body: { content: "Welcome!" },
    });
    expect(comment.json.comment).toMatchObject({ postId, authorId: bob.id, content: "Welcome!" });
    const [item] = (await feedOf(bob)).items;
    expect(item).toMatchObject({ liked: true, post: { likeCount: "1", commentCount: "1" } });
    expect(
      (await call("GET", `/api/v1/posts/${postId}/likes`, { token: ann.token })).json.likes,
    ).toHaveLength(1);

    const commentId = comment.json.comment.id as string;
    expect((await call("DELETE", `/api/v1/comments/${commentId}`, { token: bob.token })).json).toEqual({});
    expect((await call("GET", `/api/v1/posts/${postId}/comments`, { token: ann.token })).json).toEqual({
      comments: [],
      nextCursor: "",
    });
    for (let twice = 0; twice < 2; twice += 1) {
      expect((await call("DELETE", `/api/v1/posts/${postId}/like`, { token: bob.token })).json).toEqual({});
    }

    expect((await call("DELETE", `/api/v1/posts/${postId}`, { token: ann.token })).json).toEqual({});
    expect((await feedOf(bob)).items).toEqual([]);
    expect((await call("GET", `/api/v1/posts/${postId}`, { token: bob.token })).status).toBe(404);

    const second = await postAs(ann, "Still here");
    await waitFor(async () => (await feedOf(bob)).items[0]?.post.id === second);
    for (let twice = 0; twice < 2; twice += 1) {
      expect((await call("DELETE", `/api/v1/users/${ann.id}/follow`, { token: bob.token })).json).toEqual({});
    }
    expect((await feedOf(bob)).items).toEqual([]);

    await call("PUT", `/api/v1/users/${ann.id}/follow`, { token: bob.token });
    await waitFor(async () => (await feedOf(bob)).items[0]?.post.id === second, { what: "the backfill" });
  });

  it("edits a post, which feeds show, and keeps its history", async () => {
    const [ann, bob] = await Promise.all([newPerson("ann"), newPerson("bob")]);
    await call("PUT", `/api/v1/users/${ann.id}/follow`, { token: bob.token });
    const postId = await postAs(ann, "Helo");
    await waitFor(async () => (await feedOf(bob)).items.length === 1);
    const path = `/api/v1/posts/${postId}`;
    expect((await call("GET", path, { token: bob.token })).json.post).not.toHaveProperty("editedAt");

    const body = { content: "Hello" };
    expect((await call("PATCH", path, { token: bob.token, body })).status).toBe(403);
    const { post } = (await call("PATCH", path, { token: ann.token, body })).json;
    expect(post).toMatchObject({ id: postId, content: "Hello", editedAt: expect.any(String) });
    expect((await feedOf(bob)).items[0]?.post.content).toBe("Hello");
    const history = (await call("GET", `${path}/history?page_size=1`, { token: bob.token })).json;
    expect(history.versions).toMatchObject([{ content: "Hello", createdAt: post.editedAt }]);
    const cursor = encodeURIComponent(history.nextCursor as string);
    expect((await call("GET", `${path}/history?cursor=${cursor}`, { token: bob.token })).json).toMatchObject({
      versions: [{ id: postId, content: "Helo", createdAt: post.createdAt }],
      nextCursor: "",
    });
  });

  it("pages a feed without skipping or repeating while posts come", async () => {
    const [author, reader] = await Promise.all([newPerson("author"), newPerson("reader")]);
    await call("PUT", `/api/v1/users/${author.id}/follow`, { token: reader.token });
    const ids: string[] = [];
    for (let n = 0; n < 25; n += 1) ids.unshift(await postAs(author, `post ${n}`));
    await waitFor(async () => (await feedOf(reader, "?page_size=100")).items.length === 25);

    const read: string[] = [];
    let cursor = "";
    do {
      const page = await feedOf(reader, `?page_size=7&cursor=${encodeURIComponent(cursor)}`);
      read.push(...page.items.map(({ post }) => post.id));
      cursor = page.nextCursor;
      await postAs(author, "one more while reading");
    } while (cursor !== "");
    expect(read).toEqual(ids);
  });

  it("shows relationships, lists and counts", async () => {
    const [a, b] = await Promise.all([newPerson(), newPerson()]);
    await call("PUT", `/api/v1/users/${b.id}/follow`, { token: a.token });
    const relationship = await call("GET", `/api/v1/users/${b.id}/relationship`, { token: a.token });
    expect(relationship.json).toEqual({ relationship: { following: true, followedBy: false } });
    const followers = await call("GET", `/api/v1/users/${b.id}/followers`, { token: a.token });
    expect(followers.json).toMatchObject({ followers: [{ userId: a.id }], nextCursor: "" });
    const following = await call("GET", `/api/v1/users/${a.id}/following`, { token: a.token });
    expect(following.json).toMatchObject({ following: [{ userId: b.id }], nextCursor: "" });
    const counts = await call("GET", `/api/v1/users/${b.id}/follow-counts`, { token: a.token });
    expect(counts.json).toEqual({ counts: { followers: "1", following: "0" } });
  });

  it("finds users by id, ids and name, and changes one's own profile", async () => {
    const [a, b] = await Promise.all([newPerson("Carl"), newPerson()]);
    expect((await call("GET", `/api/v1/users/${a.id}`, { token: b.token })).json.user).toMatchObject({
      id: a.id,
      username: a.username,
    });
    const batch = await call("GET", `/api/v1/users?ids=${b.id}&ids=${a.id}&ids=1`, { token: b.token });
    expect(batch.json.users.map(({ id }: { id: string }) => id)).toEqual([b.id, a.id]);
    const byName = await call("GET", `/api/v1/usernames/${a.username.toUpperCase()}`, { token: b.token });
    expect(byName.json.user.id).toBe(a.id);
    const changed = await call("PATCH", "/api/v1/me", { token: a.token, body: { displayName: "Carl C." } });
    expect(changed.json.user).toMatchObject({ displayName: "Carl C.", bio: "" });
  });

  it("shows and ends a deleted account everywhere", async () => {
    const [a, b] = await Promise.all([newPerson(), newPerson()]);
    await call("PUT", `/api/v1/users/${a.id}/follow`, { token: b.token });
    await call("PUT", `/api/v1/users/${b.id}/follow`, { token: a.token });
    const postId = await postAs(a, "soon gone");
    await waitFor(async () => (await feedOf(b)).items.length === 1);
    const staying = await postAs(b, "staying");
    await call("PUT", `/api/v1/posts/${staying}/like`, { token: a.token });
    await call("POST", `/api/v1/posts/${staying}/comments`, { token: a.token, body: { content: "bye" } });
    expect((await call("DELETE", "/api/v1/me", { token: a.token })).status).toBe(200);
    expect((await call("GET", `/api/v1/users/${a.id}`, { token: b.token })).status).toBe(404);
    await waitFor(async () => (await call("GET", "/api/v1/me", { token: a.token })).status === 401);
    // A feed may keep a name for five seconds (PROFILE_MAX_AGE_MS), and the post until its deletion has come.
    await waitFor(async () => (await feedOf(b)).items.map(({ post }) => post.id).join() === staying, {
      what: "the feed without the deleted account",
    });

    const seen = async (path: string) => (await call("GET", path, { token: b.token })).json;
    await waitFor(
      async () => (await call("GET", `/api/v1/posts/${postId}`, { token: b.token })).status === 404,
      { what: "the end of the post" },
    );
    await waitFor(
      async () => {
        const { post } = await seen(`/api/v1/posts/${staying}`);
        return post.likeCount === "0" && post.commentCount === "0";
      },
      { what: "the end of the like and the comment" },
    );
    await waitFor(
      async () => {
        const { counts } = await seen(`/api/v1/users/${b.id}/follow-counts`);
        return counts.followers === "0" && counts.following === "0";
      },
      { what: "the end of the edges" },
    );
    expect((await seen(`/api/v1/users/${b.id}/following`)).following).toEqual([]);
    expect((await seen(`/api/v1/posts/${staying}/comments`)).comments).toEqual([]);
  });
});
