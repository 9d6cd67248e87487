/** A mistake in a copy of the sources: `right` stands there once, and `wrong` takes its place. */
export interface Fault {
  readonly name: string;
  /** Below services/feed. */
  readonly file: string;
  readonly right: string;
  readonly wrong: string;
}

/** Mistakes that a feed could have, each of a step whose reason is written beside it. */
export const faults: readonly Fault[] = [
  {
    name: "a merge goes on below the highest floor",
    file: "src/domain/slice.ts",
    right: "(slice.floor > highest ? slice.floor : highest), 0n)",
    wrong: "(slice.floor < highest ? slice.floor : highest), newest)",
  },
  {
    name: "a full answer claims to be complete",
    file: "src/domain/slice.ts",
    right: "floor: last === undefined ? floor : last.postId - 1n",
    wrong: "floor",
  },
  {
    name: "the next page begins with the last post again",
    file: "src/domain/page.ts",
    right: "goesOn ? last.post.id : undefined",
    wrong: "goesOn ? last.post.id + 1n : undefined",
  },
  {
    name: "a page is not refilled",
    file: "src/handlers/get-home-feed.ts",
    right: "if (items.length > size) break;",
    wrong: "break;",
  },
  {
    name: "an outbox that is missing is left out",
    file: "src/pipeline/skeleton.ts",
    right: "if (missingIds.length > 0) {",
    wrong: "if (missingIds.length > 1_000) {",
  },
  {
    name: "a build reads before its key is there",
    file: "src/pipeline/rebuild.ts",
    right: "const begun = await timelines.begin(ownerId);",
    wrong:
      "const found = await find();\n    find = () => Promise.resolve(found);\n    const begun = await timelines.begin(ownerId);",
  },
  {
    name: "a follow brings nothing",
    file: "src/consumers/follows.ts",
    right: "await homes.backfill([followerId], recent);",
    wrong: "void recent;",
  },
  {
    name: "a follow's event leaves what is kept of the followees",
    file: "src/consumers/follows.ts",
    right: 'case "followCreated":\n        await context.versions.drop(event.payload.value.followerId);',
    wrong: 'case "followCreated":',
  },
  {
    name: "an unfollow's event leaves what is kept of the followees",
    file: "src/consumers/follows.ts",
    right: 'case "followDeleted":\n        await context.versions.drop(event.payload.value.followerId);',
    wrong: 'case "followDeleted":',
  },
  {
    name: "an unfollow that comes late removes whom the reader follows again",
    file: "src/consumers/follows.ts",
    right: "    if (await isFollowed(edge)) return;",
    wrong: "    void isFollowed;",
  },
  {
    name: "rising does not outlast what is kept of the celebrities",
    file: "src/consumers/celebrities.ts",
    right: "await context.clock.wait(outlastMs, signal);",
    wrong: "await context.clock.wait(0, signal);",
  },
  {
    name: "falling does not backfill",
    file: "src/consumers/celebrities.ts",
    right: "if (state === CelebrityState.FALLING) await backfillFollowers(context, userId, options);",
    wrong: "void backfillFollowers;",
  },
  {
    name: "celebrities are asked for once",
    file: "src/pipeline/celebrities.ts",
    right: "const maxAgeMs = 3_000;",
    wrong: "const maxAgeMs = 3_000_000;",
  },
  {
    name: "followees are kept under a version from after they were read",
    file: "src/pipeline/followed.ts",
    right: `const version = await versions.begin(readerId, anew).catch(() => undefined);
      const followees = followeesOf(await follows.listFollowees(readerId, options));`,
    wrong: `const followees = followeesOf(await follows.listFollowees(readerId, options));
      const version = await versions.begin(readerId, anew).catch(() => undefined);`,
  },
  {
    name: "what is kept of the followees is believed without its version",
    file: "src/pipeline/view.ts",
    right: "guess !== undefined && found?.version === guess.version",
    wrong: "guess !== undefined && found !== undefined",
  },
  {
    name: "a post does not reach its author's outbox",
    file: "src/consumers/posts.ts",
    right: "await Promise.all([outboxes.push([authorId], entry), push([authorId])]);",
    wrong: "await push([authorId]);",
  },
];
