import type { Admin } from "@platformatic/kafka";
import { partitionCount } from "../partition-of.ts";

/** How far a group is behind on one partition. */
export interface TopicPartitionLag {
  readonly topic: string;
  readonly partition: number;
  readonly lag: number;
}

const earliest = -2n;
const latest = -1n;
const partitions = Array.from({ length: partitionCount }, (_, partition) => partition);

type OffsetOf = (topic: string, partition: number) => bigint | undefined;

async function listOffsets(admin: Admin, topics: readonly string[], timestamp: bigint): Promise<OffsetOf> {
  const listed = await admin.listOffsets({
    topics: topics.map((name) => ({
      name,
      partitions: partitions.map((partitionIndex) => ({ partitionIndex, timestamp })),
    })),
  });
  const offsets = new Map(
    listed.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex, offset }) => [`${name}:${partitionIndex}`, offset] as const),
    ),
  );
  return (topic, partition) => offsets.get(`${topic}:${partition}`);
}

async function committedOffsets(admin: Admin, group: string, topics: readonly string[]): Promise<OffsetOf> {
  const [found] = await admin.listConsumerGroupOffsets({
    groups: [{ groupId: group, topics: topics.map((name) => ({ name, partitionIndexes: partitions })) }],
  });
  const offsets = new Map(
    found?.topics.flatMap(({ name, partitions }) =>
      partitions.map(
        ({ partitionIndex, committedOffset }) => [`${name}:${partitionIndex}`, committedOffset] as const,
      ),
    ),
  );
  return (topic, partition) => {
    const offset = offsets.get(`${topic}:${partition}`);
    return offset === undefined || offset < 0n ? undefined : offset;
  };
}

/** Records appended to each partition of the topics and not committed by the group. */
export async function groupLag(
  admin: Admin,
  group: string,
  topics: readonly string[],
): Promise<TopicPartitionLag[]> {
  // Positions first: what is appended meanwhile makes the lag too large rather than negative.
  const committed = await committedOffsets(admin, group, topics);
  const [first, end] = await Promise.all([
    listOffsets(admin, topics, earliest),
    listOffsets(admin, topics, latest),
  ]);
  return topics.flatMap((topic) =>
    partitions.map((partition) => {
      const start = first(topic, partition) ?? 0n;
      const position = committed(topic, partition) ?? start;
      // What retention removed before it was read is no longer ahead of the group.
      const from = position < start ? start : position;
      return { topic, partition, lag: Number((end(topic, partition) ?? from) - from) };
    }),
  );
}
