/** A mistake in a copy of the sources: `right` stands there once, and `wrong` takes its place. */
export interface Fault {
  readonly name: string;
  /** Below services/feed. */
  readonly file: string;
  readonly right: string;
  readonly wrong: string;
  /** The file of tests that finds it, below services/feed; the histories do when undefined. */
  readonly test?: string;
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
  {
    name: "a post that is pushed to nobody is not announced",
    file: "src/consumers/fan-out.ts",
    right: "await announce?.();",
    wrong: "void announce;",
  },
  {
    name: "what is kept of outboxes outlives the log",
    file: "src/pipeline/celebrity-posts.ts",
    right: "      kept = create();\n      coming.clear();",
    wrong: "",
  },
  {
    name: "an outbox is kept though a post crossed it on its way",
    file: "src/pipeline/celebrity-posts.ts",
    right: "        coming.delete(authorId);\n",
    wrong: "",
    test: "tests/celebrity-posts.test.ts",
  },
  {
    name: "a log outlives its keeper",
    file: "lua/read-log.lua",
    right: "if made_by ~= keeper() then",
    wrong: "if not made_by then",
    test: "tests/celebrity-posts.test.ts",
  },
  {
    name: "who has fallen behind a log goes on in it",
    file: "lua/read-log.lua",
    right: " or from < tonumber(dropped) or",
    wrong: " or",
    test: "tests/celebrity-posts.test.ts",
  },
  {
    name: "posts of authors are shown who are followed no longer",
    file: "src/domain/page.ts",
    right: "if (authorId !== readerId && !followees.has(authorId)) continue;",
    wrong: "void followees;",
  },
  {
    name: "an unfollow takes the version when it has seen that the edge is gone",
    file: "src/consumers/follows.ts",
    right: `const version = await homes.version(followerId);
    if (version === undefined) return;
    if (await isFollowed(edge)) return;`,
    wrong: `if (await isFollowed(edge)) return;
    const version = await homes.version(followerId);
    if (version === undefined) return;`,
  },
  {
    name: "an unfollow compares no versions",
    file: "lua/remove-posts.lua",
    right: "if not timeline or version_of(timeline) ~= ARGV[1] then",
    wrong: "if not timeline then",
  },
  {
    name: "a backfill without posts leaves the version",
    file: "lua/timeline.lua",
    right: "  timeline.revision = timeline.revision + 1",
    wrong: "  timeline.revision = timeline.revision + (#added > 0 and 1 or 0)",
    test: "tests/consumers.test.ts",
  },
  {
    name: "a backfill that knows less leaves the floor",
    file: "lua/timeline.lua",
    right: "  if above(floor, timeline.floor) then\n    timeline.floor = floor\n  end",
    wrong: "",
  },
  {
    name: "a trim leaves the floor",
    file: "lua/timeline.lua",
    right: "    timeline.floor = redis.call('LINDEX', key, excess)",
    wrong: "",
  },
  {
    name: "a timeline is read that is not built yet",
    file: "lua/read.lua",
    right: "if not timeline or timeline.state ~= 'c' then",
    wrong: "if not timeline then",
  },
  {
    name: "a build completes a key that it did not begin with",
    file: "lua/commit.lua",
    right: " or timeline.life ~= ARGV[1] then",
    wrong: " then",
  },
  {
    name: "a timeline outlives its keeper",
    file: "lua/timeline.lua",
    right: "if timeline and timeline.keeper == keeper() then",
    wrong: "if timeline then",
    test: "tests/timeline-loss.test.ts",
  },
  {
    name: "a timeline that left its server may come back",
    file: "lua/timeline.lua",
    right: "  if not in_cluster then",
    wrong: "  if true then",
    test: "tests/timeline-loss.test.ts",
  },
  {
    name: "a deletion leaves the post in the followers' timelines",
    file: "src/consumers/posts.ts",
    right: "deliver: (readerIds) => homes.remove(readerIds, entry)",
    wrong: "deliver: () => Promise.resolve()",
    test: "tests/consumers.test.ts",
  },
  {
    name: "a fan-out that was broken off is taken for done",
    file: "src/consumers/fan-out.ts",
    right: "    await Promise.all(workers);",
    wrong: "    await Promise.allSettled(workers);",
  },
  {
    name: "a fan-out goes on one follower too far",
    file: "src/store/fan-out-progress.ts",
    right: "BigInt(saved)",
    wrong: "BigInt(saved) + 1n",
  },
  {
    name: "a fan-out goes on where another's was broken off",
    file: "src/store/fan-out-progress.ts",
    right: "`fanout:{${eventId}}`",
    wrong: '"fanout:{0}"',
  },
  {
    name: "an author's followers beyond the first page are left out",
    file: "src/clients/follow.ts",
    right: "if (isAll) return;",
    wrong: "return;",
  },
  {
    name: "authors who share an rpc get each other's followers",
    file: "src/clients/follow.ts",
    right: "return authors.map(",
    wrong: "return authors.toReversed().map(",
  },
  {
    name: "what was pushed in great disorder counts as sorted",
    file: "lua/timeline.lua",
    right: "table.sort(ids, function(a, b) return above(b, a) end)",
    wrong: "",
    test: "tests/timeline-store.test.ts",
  },
  {
    name: "a checkpoint is written before its batch is delivered",
    file: "src/consumers/fan-out.ts",
    right: "async ({ ids, turns }) => {\n",
    wrong: "async ({ ids, turns }) => {\n      await checkpoint.done(ids);\n",
    test: "tests/fan-out.test.ts",
  },
  {
    name: "a checkpoint leaves out a batch that is under way",
    file: "src/consumers/checkpoint.ts",
    right: "first !== undefined && finished.delete(first)",
    wrong: "first !== undefined",
    test: "tests/fan-out.test.ts",
  },
  {
    name: "a checkpoint stays when its fan-out is over",
    file: "src/consumers/checkpoint.ts",
    right: "await progress.clear(eventId);",
    wrong: "await Promise.resolve();",
    test: "tests/fan-out.test.ts",
  },
  {
    name: "an event does not wait for its pushes",
    file: "src/consumers/fan-out.ts",
    right: "await turns.run(async () => {",
    wrong: "void turns.run(async () => {",
    test: "tests/fan-out.test.ts",
  },
  {
    name: "an author with many followers takes the places of those with few",
    file: "src/consumers/fan-out.ts",
    right: "        turns = lanes.large;",
    wrong: "        turns = lanes.small;",
    test: "tests/fan-out.test.ts",
  },
  {
    name: "a lane lets the last who came go first",
    file: "src/domain/turns.ts",
    right: "waiting.shift()",
    wrong: "waiting.pop()",
    test: "src/domain/turns.test.ts",
  },
  {
    name: "a lane loses a place with each failure",
    file: "src/domain/turns.ts",
    right: `      try {
        return await work();
      } finally {
        const next = waiting.shift();
        if (next === undefined) running -= 1;
        else next();
      }`,
    wrong: `      const result = await work();
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
      return result;`,
    test: "src/domain/turns.test.ts",
  },
  {
    name: "a post that is kept shows when it is gone",
    file: "src/pipeline/posts.ts",
    right: "asked.delete(id);",
    wrong: "void id;",
  },
  {
    name: "pages below the first are read on a replica, however young",
    file: "src/pipeline/skeleton.ts",
    right: "const readsPrimary = idTimeMs(before) > clock.unixMs() - replicatedAfterMs;",
    wrong: "const readsPrimary = idTimeMs(before) > clock.unixMs() + replicatedAfterMs;",
  },
  {
    name: "a build reads posts on a replica",
    file: "src/pipeline/rebuild.ts",
    right: "{ before: newest, limit }, peerCallOptions({ signal, timeoutMs })",
    wrong: "{ before: newest, limit }, peerCallOptions({ signal, timeoutMs, readsPrimary: false })",
  },
  {
    name: "a build reads followees on a replica",
    file: "src/pipeline/rebuild.ts",
    right: "follows.listFollowees(readerId, peerCallOptions({ signal, timeoutMs }))",
    wrong: "follows.listFollowees(readerId, peerCallOptions({ signal, timeoutMs, readsPrimary: false }))",
  },
  {
    name: "followees that are kept were read on a replica",
    file: "src/pipeline/view.ts",
    right: "call.onward({ readsPrimary: true })",
    wrong: "call.onward()",
  },
  {
    name: "the posts of an author whose outbox is missing are read on a replica",
    file: "src/pipeline/skeleton.ts",
    right: "{ before, limit }, call.onward({ readsPrimary: true })",
    wrong: "{ before, limit }, call.onward()",
  },
  {
    name: "a follow or unfollow is applied by what a replica has",
    file: "src/consumers/follows.ts",
    right: "peerCallOptions({ traceparent: event.traceparent, signal })",
    wrong: "peerCallOptions({ traceparent: event.traceparent, signal, readsPrimary: false })",
  },
  {
    name: "falling backfills what a replica has",
    file: "src/consumers/celebrities.ts",
    right: "peerCallOptions({ traceparent: event.traceparent, signal })",
    wrong: "peerCallOptions({ traceparent: event.traceparent, signal, readsPrimary: false })",
  },
  {
    name: "who has written is shown what a replica has",
    file: "src/pipeline/posts.ts",
    right: 'if (!call.readsPrimary && !wroteTo(call, "post"))',
    wrong: "if (!call.readsPrimary)",
  },
  {
    name: "who has unfollowed is shown what was kept before",
    file: "src/pipeline/view.ts",
    right: 'isRight && !wroteTo(call, "follow")',
    wrong: "isRight",
  },
  {
    name: "what is kept shows though the answer has another version",
    file: "src/pipeline/posts.ts",
    right: "asked.set(version.post.id, version);",
    wrong: "asked.set(version.post.id, asked.get(version.post.id) ?? version);",
    test: "tests/get-home-feed.test.ts",
  },
  {
    name: "the likes of one reader go to all who share an rpc",
    file: "src/pipeline/posts.ts",
    right: "likedIds: new Set(likedIds.get(viewerId))",
    wrong: "likedIds: new Set([...likedIds.values()].flat().concat(viewerId))",
    test: "tests/get-home-feed.test.ts",
  },
];
