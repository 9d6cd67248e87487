import type { ChainableCommander, Redis } from "ioredis";
import type { Logger } from "../../log/index.ts";
import type { AppendableRecord, DeadLetter, EventLogOperator, PartitionLag } from "../operator.ts";
import { partitionCount, partitionOf } from "../partition-of.ts";
import { topics } from "../topics.ts";
import { openEventRedis, whenReady } from "./connection.ts";
import { streamKeys } from "./keys.ts";
import { partitionLag } from "./lag.ts";

const waitForRedisMs = 5_000;
const batch = 500;

async function readDeadLetters(
  redis: Redis,
  group: string,
  limit: number,
): Promise<(DeadLetter & { readonly id: string })[]> {
  const entries = await redis.xrangeBuffer(streamKeys.deadLetters(group), "-", "+", "COUNT", limit);
  return entries.map(([idBytes, fields]) => {
    const values = new Map<string, Buffer>();
    for (let i = 0; i + 1 < fields.length; i += 2)
      values.set(String(fields[i]), fields[i + 1] ?? Buffer.alloc(0));
    const text = (name: string): string => values.get(name)?.toString() ?? "";
    const id = idBytes.toString();
    return {
      id,
      group,
      topic: text("topic"),
      partition: Number(text("partition")),
      position: text("position"),
      key: text("key"),
      cause: text("cause"),
      buriedAtMs: Number(id.slice(0, id.indexOf("-"))),
      payload: values.get("payload") ?? Buffer.alloc(0),
    };
  });
}

/** As the relay appends. */
function add(transaction: ChainableCommander, { topic, key, payload }: AppendableRecord): void {
  const stream = streamKeys.stream(topic, partitionOf(key));
  transaction.xadd(stream, "*", "k", key, "e", Buffer.from(payload));
}

/** Rejects unless every command of a transaction was executed. */
function checkReplies(replies: [Error | null, unknown][] | null): void {
  if (replies === null) throw new Error("Redis did not execute the transaction");
  for (const [error] of replies) if (error !== null) throw error;
}

/** The operator's side of the embedded carrier. */
export async function openStreamsOperator(url: string, log: Logger): Promise<EventLogOperator> {
  const redis = openEventRedis({ url, log, name: "events-operator" });
  try {
    await whenReady(redis, AbortSignal.timeout(waitForRedisMs));
  } catch (error) {
    redis.disconnect();
    throw new Error("the Redis of the event log does not answer", { cause: error });
  }

  return {
    async lag() {
      const lags: PartitionLag[] = [];
      for (const topic of Object.values(topics)) {
        for (const group of await redis.smembers(streamKeys.groups(topic))) {
          for (let partition = 0; partition < partitionCount; partition++)
            lags.push({ group, topic, partition, lag: await partitionLag(redis, group, topic, partition) });
        }
      }
      return lags.toSorted((a, b) => a.group.localeCompare(b.group));
    },
    async groupsWithDeadLetters() {
      const prefix = streamKeys.deadLetters("");
      const groups = new Set<string>();
      for await (const keys of redis.scanStream({ match: `${prefix}*`, count: 1_000 }))
        for (const key of keys as string[])
          if ((await redis.xlen(key)) > 0) groups.add(key.slice(prefix.length));
      return [...groups].toSorted();
    },
    deadLetters: (group, limit) => readDeadLetters(redis, group, limit),
    async replayDeadLetters(group, limit) {
      let replayed = 0;
      // Not until none are left: what cannot be applied would come back for ever.
      const letters = await readDeadLetters(redis, group, limit);
      for (let at = 0; at < letters.length; at += batch) {
        const transaction = redis.multi();
        for (const letter of letters.slice(at, at + batch)) {
          add(transaction, letter);
          transaction.xdel(streamKeys.deadLetters(group), letter.id);
          replayed++;
        }
        checkReplies(await transaction.exec());
      }
      return replayed;
    },
    async append(records) {
      for (let at = 0; at < records.length; at += batch) {
        const transaction = redis.multi();
        for (const record of records.slice(at, at + batch)) add(transaction, record);
        checkReplies(await transaction.exec());
      }
    },
    close() {
      redis.disconnect();
      return Promise.resolve();
    },
  };
}
