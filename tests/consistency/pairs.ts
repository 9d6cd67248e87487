import { register, type Caller } from "./caller.ts";

/** What a writer has made so far, and whom it knows. */
interface World {
  readonly me: Caller;
  readonly other: Caller;
  postId: string;
  commentId: string;
  turn: number;
}

/** A write and the read that must show it: true when it does. In an order in which each has what it needs. */
const pairs: readonly (readonly [name: string, (world: World) => Promise<boolean>])[] = [
  [
    "a post is in its author's list",
    async (world) => {
      const { post } = await world.me.ask("POST", "/api/v1/posts", { content: `post ${world.turn}` });
      world.postId = post.id;
      const { posts } = await world.me.ask("GET", `/api/v1/users/${world.me.id}/posts?page_size=5`);
      return posts.some(({ id }: { id: string }) => id === post.id);
    },
  ],
  [
    "an edit is in the post",
    async ({ me, postId, turn }) => {
      await me.ask("PATCH", `/api/v1/posts/${postId}`, { content: `edit ${turn}` });
      return (await me.ask("GET", `/api/v1/posts/${postId}`))?.post.content === `edit ${turn}`;
    },
  ],
  [
    "a like is shown and counted",
    async ({ me, postId }) => {
      await me.ask("PUT", `/api/v1/posts/${postId}/like`);
      const found = await me.ask("GET", `/api/v1/posts/${postId}`);
      return found?.liked === true && found.post.likeCount === "1";
    },
  ],
  [
    "a like that was taken back is not",
    async ({ me, postId }) => {
      await me.ask("DELETE", `/api/v1/posts/${postId}/like`);
      return (await me.ask("GET", `/api/v1/posts/${postId}`))?.liked === false;
    },
  ],
  [
    "a comment is in the post's list",
    async (world) => {
      const { me, postId } = world;
      const { comment } = await me.ask("POST", `/api/v1/posts/${postId}/comments`, { content: "comment" });
      world.commentId = comment.id;
      const page = await me.ask("GET", `/api/v1/posts/${postId}/comments`);
      return page?.comments.some(({ id }: { id: string }) => id === comment.id) === true;
    },
  ],
  [
    "a deleted comment is not",
    async ({ me, postId, commentId }) => {
      await me.ask("DELETE", `/api/v1/comments/${commentId}`);
      return (await me.ask("GET", `/api/v1/posts/${postId}/comments`))?.comments.length === 0;
    },
  ],
  [
    "a follow is in the relationship",
    async ({ me, other }) => {
      await me.ask("PUT", `/api/v1/users/${other.id}/follow`);
      const { relationship } = await me.ask("GET", `/api/v1/users/${other.id}/relationship`);
      return relationship.following === true;
    },
  ],
  [
    "an unfollow is in the list",
    async ({ me, other }) => {
      await me.ask("DELETE", `/api/v1/users/${other.id}/follow`);
      return (await me.ask("GET", `/api/v1/users/${me.id}/following`)).following.length === 0;
    },
  ],
  [
    "a new name is in the profile",
    async ({ me, turn }) => {
      await me.ask("PATCH", "/api/v1/me", { displayName: `name ${turn}` });
      const [mine, shown] = await Promise.all([
        me.ask("GET", "/api/v1/me"),
        me.ask("GET", `/api/v1/users/${me.id}`),
      ]);
      return mine.user.displayName === `name ${turn}` && shown.user.displayName === `name ${turn}`;
    },
  ],
  [
    "a deleted post is gone",
    async ({ me, postId }) => {
      await me.ask("DELETE", `/api/v1/posts/${postId}`);
      return (await me.ask("GET", `/api/v1/posts/${postId}`)) === undefined;
    },
  ],
];

export interface Outcome {
  readonly pairs: number;
  readonly violations: number;
  /** How often each kind of pair was violated. */
  readonly byPair: Readonly<Record<string, number>>;
}

/** Writes and reads `count` times as several users at once. */
export async function writeAndRead(options: {
  readonly gatewayUrl: string;
  readonly count: number;
  readonly keepsTokens: boolean;
  /** Makes the names of this run's users. */
  readonly prefix: string;
  readonly progress?: (done: number) => void;
}): Promise<Outcome> {
  const { gatewayUrl, count, keepsTokens, prefix, progress } = options;
  const users = 4;
  const other = await register(gatewayUrl, `${prefix}_other`, true);
  const byPair: Record<string, number> = {};
  let begun = 0;
  async function write(me: Caller): Promise<void> {
    const world: World = { me, other, postId: "", commentId: "", turn: 0 };
    for (; ; world.turn += 1) {
      for (const [name, pair] of pairs) {
        if (begun === count) return;
        begun += 1;
        if (!(await pair(world))) byPair[name] = (byPair[name] ?? 0) + 1;
        if (begun % 500 === 0) progress?.(begun);
      }
    }
  }
  const writers: Caller[] = [];
  for (let user = 1; user <= users; user += 1) {
    writers.push(await register(gatewayUrl, `${prefix}_${user}`, keepsTokens));
  }
  await Promise.all(writers.map(write));
  const violations = Object.values(byPair).reduce((sum, one) => sum + one, 0);
  return { pairs: begun, violations, byPair };
}
