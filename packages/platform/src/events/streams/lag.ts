import type { Redis } from "ioredis";
import { partitionCount } from "../partition-of.ts";
import { streamKeys } from "./keys.ts";
import { scripts } from "./scripts.ts";

/** Entries appended to one partition and not committed by the group. */
export async function partitionLag(
  redis: Redis,
  group: string,
  topic: string,
  partition: number,
): Promise<number> {
  const keys = [streamKeys.stream(topic, partition), streamKeys.positions(topic, partition)];
  return Number(await scripts.lag(redis, keys, [group]));
}

/** Entries appended to the topics and not committed by the group. One round trip. */
export async function groupLag(redis: Redis, group: string, topics: readonly string[]): Promise<number> {
  const lags = await Promise.all(
    topics.flatMap((topic) =>
      Array.from({ length: partitionCount }, (_, partition) => partitionLag(redis, group, topic, partition)),
    ),
  );
  return lags.reduce((sum, lag) => sum + lag, 0);
}
