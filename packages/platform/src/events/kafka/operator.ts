import type { Admin, Consumer } from "@platformatic/kafka";
import type { AppendableRecord, DeadLetter, EventLogOperator, PartitionLag } from "../operator.ts";
import { partitionOf } from "../partition-of.ts";
import { topics as logTopics } from "../topics.ts";
import { openAdmin, openConsumer, openProducer } from "./clients.ts";
import { toDeadLetter } from "./dead-letters.ts";
import { groupLag } from "./lag.ts";
import { lastOffsetOf, recordsOf } from "./records.ts";
import { deadLetterGroup, deadLetterTopic } from "./topics.ts";

const batch = 500;
const fetchBytes = 1_024 * 1_024;
const earliest = -2n;
const latest = -1n;

/** The groups that read topics of the log, with those topics: committed on, or assigned to a member now. */
async function groupsOfLog(admin: Admin): Promise<Map<string, string[]>> {
  const names = new Set(await admin.listTopics());
  const topics = new Set<string>(Object.values(logTopics).filter((topic) => names.has(topic)));
  // Connect's workers form a group too, whose members the library cannot decode.
  const groups = [...(await admin.listGroups({})).values()]
    .filter(({ protocolType }) => protocolType === "consumer")
    .map(({ id }) => id);
  if (groups.length === 0) return new Map();
  const [committed, described] = await Promise.all([
    admin.listConsumerGroupOffsets({ groups }),
    admin.describeGroups({ groups }),
  ]);
  const read = new Map<string, Set<string>>();
  const add = (group: string, topic: string): void => {
    if (topics.has(topic)) read.set(group, (read.get(group) ?? new Set()).add(topic));
  };
  for (const { groupId, topics } of committed) for (const { name } of topics) add(groupId, name);
  for (const [group, { members }] of described)
    for (const { assignments } of members.values())
      for (const topic of assignments?.keys() ?? []) add(group, topic);
  return new Map([...read].map(([group, topics]) => [group, [...topics].toSorted()]));
}

interface DeadLetterRange {
  readonly from: bigint;
  readonly to: bigint;
}

async function rangeOf(admin: Admin, topic: string): Promise<DeadLetterRange> {
  const ask = async (timestamp: bigint): Promise<bigint> => {
    const [listed] = await admin.listOffsets({
      topics: [{ name: topic, partitions: [{ partitionIndex: 0, timestamp }] }],
    });
    return listed?.partitions[0]?.offset ?? 0n;
  };
  return { from: await ask(earliest), to: await ask(latest) };
}

/** The oldest dead letters of a group, and the offset behind them. */
async function readDeadLetters(
  consumer: Consumer,
  admin: Admin,
  group: string,
  limit: number,
): Promise<{ letters: DeadLetter[]; next: bigint }> {
  const topic = deadLetterTopic(group);
  const letters: DeadLetter[] = [];
  if (!(await admin.listTopics()).includes(topic)) return { letters, next: 0n };
  const { from, to } = await rangeOf(admin, topic);
  consumer.topics.track(topic);
  let next = from;
  while (next < to && letters.length < limit) {
    const found = (await consumer.metadata({ topics: [topic] })).topics.get(topic);
    const { responses } = await consumer.fetch({
      node: found?.partitions[0]?.leader ?? -1,
      maxWaitTime: 100,
      minBytes: 1,
      maxBytes: fetchBytes,
      topics: [
        {
          topicId: found?.id ?? "",
          partitions: [
            {
              partition: 0,
              fetchOffset: next,
              partitionMaxBytes: fetchBytes,
              currentLeaderEpoch: -1,
              lastFetchedEpoch: -1,
            },
          ],
        },
      ],
    });
    for (const { records } of responses[0]?.partitions ?? []) {
      for (const fetched of records ?? []) {
        for (const record of recordsOf(fetched)) {
          if (record.offset < next || letters.length === limit) continue;
          letters.push(toDeadLetter(group, record));
          next = record.offset + 1n;
        }
        if (letters.length < limit && lastOffsetOf(fetched) >= next) next = lastOffsetOf(fetched) + 1n;
      }
    }
  }
  return { letters, next };
}

/** The operator's side of Kafka. */
export async function openKafkaOperator(url: string): Promise<EventLogOperator> {
  const admin = openAdmin(url);
  const producer = openProducer(url);
  // It only fetches, and joins no group.
  const consumer = openConsumer(url, { groupId: "chirrup-operator" });
  const close = async (): Promise<void> => {
    await Promise.all([admin.close(), producer.close(), consumer.close(true)]);
  };
  try {
    await admin.listTopics();
  } catch (error) {
    await close();
    throw new Error("Kafka does not answer", { cause: error });
  }

  async function append(records: readonly AppendableRecord[]): Promise<void> {
    for (let at = 0; at < records.length; at += batch) {
      await producer.send({
        messages: records.slice(at, at + batch).map(({ topic, key, payload }) => ({
          topic,
          partition: partitionOf(key),
          key: Buffer.from(key),
          value: Buffer.from(payload),
        })),
      });
    }
  }

  return {
    async lag() {
      const lags: PartitionLag[] = [];
      for (const [group, topics] of [...(await groupsOfLog(admin))].toSorted(([a], [b]) =>
        a.localeCompare(b),
      ))
        for (const lag of await groupLag(admin, group, topics)) lags.push({ group, ...lag });
      return lags;
    },
    async groupsWithDeadLetters() {
      const groups: string[] = [];
      for (const topic of await admin.listTopics()) {
        const group = deadLetterGroup(topic);
        if (group === undefined) continue;
        const { from, to } = await rangeOf(admin, topic);
        if (from < to) groups.push(group);
      }
      return groups.toSorted();
    },
    deadLetters: async (group, limit) => (await readDeadLetters(consumer, admin, group, limit)).letters,
    async replayDeadLetters(group, limit) {
      const { letters, next } = await readDeadLetters(consumer, admin, group, limit);
      if (letters.length === 0) return 0;
      await append(letters);
      const partitions = [{ partition: 0, offset: next }];
      await admin.deleteRecords({ topics: [{ name: deadLetterTopic(group), partitions }] });
      return letters.length;
    },
    append,
    close,
  };
}
