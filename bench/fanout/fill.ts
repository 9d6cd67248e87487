import { encodeCommand } from "@chirrup/platform";
import { openTimelines, timelineSize } from "./shapes.ts";
import type { Stage } from "./stage.ts";

/** Ids as the platform mints them, about now. */
const firstPost = 120n * 10n ** 15n;
const idStep = 1n << 22n;
let last = firstPost + BigInt(timelineSize) * idStep;

export function nextPostId(): bigint {
  last += idStep;
  return last;
}

export const followersOf = (count: number): bigint[] =>
  Array.from({ length: count }, (_, at) => firstPost - BigInt(count - at) * idStep);

const postIds = Array.from(
  { length: timelineSize },
  (_, at) => firstPost + BigInt(timelineSize - at) * idStep,
);

/** Gives each follower a full timeline in this project's form. */
export async function fillOwn(stage: Stage, followerIds: readonly bigint[]): Promise<void> {
  const homes = openTimelines(stage);
  const found = { floor: firstPost, entries: postIds.map((postId) => ({ postId })) };
  for (let at = 0; at < followerIds.length; at += 200) {
    await Promise.all(
      followerIds.slice(at, at + 200).map(async (followerId) => {
        const build = await homes.begin(followerId);
        if (build !== undefined) await homes.commit(followerId, build, found);
      }),
    );
  }
}

/** Gives each follower a timeline in another form, as copies of one; full unless `entries` says less. */
export async function fillPeer(
  { redis }: Stage,
  { keyPrefix, kind }: { readonly keyPrefix: string; readonly kind: "list" | "zset" },
  names: readonly (bigint | string)[],
  entries: number = timelineSize,
): Promise<void> {
  const model = `model:${kind}`;
  await redis.call(model, ["DEL", model]);
  const values = postIds.slice(0, entries).flatMap((id) => (kind === "zset" ? [id >> 22n, id] : [id]));
  await redis.call(model, [kind === "zset" ? "ZADD" : "RPUSH", model, ...values]);
  for (let at = 0; at < names.length; at += 1_000) {
    const some = names.slice(at, at + 1_000);
    await redis.run({
      size: some.length,
      slot: () => 0,
      encode: (one) => encodeCommand(["COPY", model, `${keyPrefix}{${some[one] ?? ""}}`, "REPLACE"]),
    });
  }
}
