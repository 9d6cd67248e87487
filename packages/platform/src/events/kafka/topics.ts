import type { Admin } from "@platformatic/kafka";
import { partitionCount } from "../partition-of.ts";

/** The topic of what a group could not apply: one partition, kept until it is replayed. */
export const deadLetterTopic = (group: string): string => `dead.${group}`;

/** The group of a dead-letter topic; undefined for any other topic. */
export const deadLetterGroup = (topic: string): string | undefined => /^dead\.(.+)$/.exec(topic)?.[1];

async function createTopics(
  admin: Admin,
  topics: readonly string[],
  partitions: number,
  configs: { name: string; value: string }[],
): Promise<void> {
  try {
    // A replication factor of -1 is the broker's default.
    await admin.createTopics({ topics: [...topics], partitions, replicas: -1, configs });
  } catch (error) {
    // Another process was quicker.
    if (!isExisting(error)) throw error;
  }
}

function isExisting(error: unknown): boolean {
  const { apiId, errors } = error as { apiId?: string; errors?: unknown[] };
  return apiId === "TOPIC_ALREADY_EXISTS" || errors?.some(isExisting) === true;
}

/**
 * Makes the topics of the log that are missing. Rejects when one has another number of partitions: keys
 * would be elsewhere than they were, and out of order.
 */
export async function ensureTopics(admin: Admin, topics: readonly string[]): Promise<void> {
  await createMissing(admin, topics, partitionCount, []);
  const metadata = await admin.metadata({ topics: [...topics], forceUpdate: true });
  for (const topic of topics) {
    const found = metadata.topics.get(topic)?.partitionsCount;
    if (found !== partitionCount)
      throw new Error(`the topic ${topic} has ${found ?? "no"} partitions, not ${partitionCount}`);
  }
}

/** Makes the dead-letter topic of a group if it is missing. */
export async function ensureDeadLetterTopic(admin: Admin, group: string): Promise<void> {
  await createMissing(admin, [deadLetterTopic(group)], 1, [{ name: "retention.ms", value: "-1" }]);
}

async function createMissing(
  admin: Admin,
  topics: readonly string[],
  partitions: number,
  configs: { name: string; value: string }[],
): Promise<void> {
  const existing = new Set(await admin.listTopics());
  const missing = topics.filter((topic) => !existing.has(topic));
  if (missing.length > 0) await createTopics(admin, missing, partitions, configs);
}
