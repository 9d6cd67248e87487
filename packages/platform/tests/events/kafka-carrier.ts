import { partitionOf } from "@chirrup/platform";
import { waitFor } from "@chirrup/testkit";
import { Admin, Consumer, Producer } from "@platformatic/kafka";
import type { Carrier, DeadLetter } from "./carrier.ts";
import { openLog } from "./log-module.ts";

const topics = ["posts", "users", "follows", "celebrities"];

const connectionTo = (url: string) => ({
  clientId: "test",
  bootstrapBrokers: [url.replace("kafka://", "")],
});

/** Throws while a partition has no leader yet. */
async function everyPartitionLed(admin: Admin): Promise<true> {
  const partitions = Array.from({ length: 8 }, (_, partitionIndex) => ({ partitionIndex, timestamp: -1n }));
  await admin.listOffsets({ topics: topics.map((name) => ({ name, partitions })) });
  return true;
}

/** Takes all members of a group for dead. */
export async function expelAll(url: string, groupId: string): Promise<void> {
  const admin = new Admin(connectionTo(url));
  await admin.removeMembersFromConsumerGroup({ groupId });
  await admin.close();
}

/** The carrier of production on an empty broker; its topics are gone when it is closed. */
export async function kafkaCarrier(url: string): Promise<Carrier> {
  const connection = connectionTo(url);
  const admin = new Admin(connection);
  // Idempotent: what it sends again is not there twice.
  const producer = new Producer({ ...connection, acks: -1, idempotent: true });
  await admin.createTopics({ topics, partitions: 8, replicas: 1 });
  await waitFor(() => everyPartitionLed(admin));
  return {
    url,
    module: new URL("log-module.ts", import.meta.url),
    openLog: () => openLog(url),
    async append(records) {
      await producer.send({
        messages: records.map(({ topic, key, payload }) => ({
          topic,
          partition: partitionOf(key),
          key: Buffer.from(key),
          value: Buffer.from(payload),
        })),
      });
    },
    async deadLetters(group) {
      const consumer = new Consumer({ ...connection, groupId: `look-${Math.random()}` });
      const topic = `dead.${group}`;
      const { offset: end = 0n } =
        (await consumer.listOffsetsWithTimestamps({ topics: [topic] })).get(topic)?.get(0) ?? {};
      const stream = await consumer.consume({ topics: [topic], mode: "earliest", autocommit: false });
      const letters: DeadLetter[] = [];
      for await (const { key, value, headers, offset } of stream) {
        const text = new Map([...headers].map(([name, value]) => [name.toString(), value.toString()]));
        letters.push({
          topic: text.get("topic") ?? "",
          key: key.toString(),
          position: text.get("offset") ?? "",
          cause: text.get("cause") ?? "",
          payload: value,
        });
        if (offset === end - 1n) break;
      }
      await consumer.close(true);
      return letters;
    },
    handsOverWithinMs: 5_000,
    partitionOf: (key) => partitionOf(key),
    async close() {
      const groups = [...(await admin.listGroups({})).keys()];
      for (const groupId of groups) {
        // What was killed is a member until its session ends.
        await admin.removeMembersFromConsumerGroup({ groupId }).catch(() => undefined);
        await admin.deleteGroups({ groups: [groupId] }).catch(() => undefined);
      }
      await admin.deleteTopics({ topics: await admin.listTopics() });
      await Promise.all([admin.close(), producer.close()]);
    },
  };
}
