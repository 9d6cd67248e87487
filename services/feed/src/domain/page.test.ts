import { create } from "@bufbuild/protobuf";
import { PostSchema } from "@chirrup/proto/chirrup/post/v1/post_service";
import { UserSchema } from "@chirrup/proto/chirrup/user/v1/user_service";
import { describe, expect, it } from "vitest";
import { followeesOf } from "./followees.ts";
import { cutPage, filterItems, type Hydration } from "./page.ts";

const post = (id: bigint, authorId: bigint) => create(PostSchema, { id, authorId });
const user = (id: bigint) => create(UserSchema, { id });

const reader = 1n;
const followed = 2n;
const unfollowed = 3n;
const gone = 4n;

const hydration: Hydration = {
  posts: new Map([
    [50n, post(50n, reader)],
    [40n, post(40n, followed)],
    [30n, post(30n, unfollowed)],
    [20n, post(20n, gone)],
  ]),
  likedIds: new Set([40n]),
  authors: new Map([reader, followed, unfollowed].map((id) => [id, user(id)])),
};
const followees = followeesOf([followed, gone]);

describe("filterItems", () => {
  const entries = [
    { postId: 50n, authorId: reader },
    { postId: 45n, authorId: followed },
    { postId: 40n, authorId: followed },
    { postId: 30n, authorId: unfollowed },
    { postId: 20n, authorId: gone },
  ];

  it("keeps the reader's own and what followed authors still have, in order", () => {
    const items = filterItems(entries, hydration, followees, reader);
    expect(items.map(({ post }) => post.id)).toEqual([50n, 40n]);
    expect(items.map(({ author }) => author.id)).toEqual([reader, followed]);
    expect(items.map(({ liked }) => liked)).toEqual([false, true]);
  });
});

describe("cutPage", () => {
  const items = [9n, 7n, 5n].map((id) => ({
    post: post(id, followed),
    author: user(followed),
    liked: false,
  }));

  it("goes on below the last item when there is one more", () => {
    const page = cutPage(items, 2);
    expect(page.items.map(({ post }) => post.id)).toEqual([9n, 7n]);
    expect(page.nextBefore).toBe(7n);
  });

  it("is the last page when there is none", () => {
    expect(cutPage(items, 3).nextBefore).toBeUndefined();
    expect(cutPage([], 3)).toEqual({ items: [], nextBefore: undefined });
  });
});
