import type { Producer } from "@platformatic/kafka";
import type { Bury } from "../consume/applier.ts";
import type { DeadLetter } from "../operator.ts";
import type { FetchedRecord } from "./records.ts";
import { deadLetterTopic } from "./topics.ts";

/** Headers of a dead letter: where the record was, and why it is here. Key and value are the record's own. */
const deadLetterHeaders = {
  topic: "topic",
  partition: "partition",
  offset: "offset",
  cause: "cause",
} as const;

/** Keeps what cannot be applied in the group's dead-letter topic. */
export function createBury(producer: Producer, group: string): Bury {
  return async ({ owned, slot, key, payload }, cause) => {
    const headers = new Map(
      Object.entries({
        [deadLetterHeaders.topic]: owned.topic,
        [deadLetterHeaders.partition]: String(owned.partition),
        [deadLetterHeaders.offset]: slot.id,
        [deadLetterHeaders.cause]: cause,
      }).map(([name, value]) => [Buffer.from(name), Buffer.from(value)]),
    );
    await producer.send({
      messages: [
        {
          topic: deadLetterTopic(group),
          partition: 0,
          key: Buffer.from(key),
          value: Buffer.from(payload),
          headers,
        },
      ],
    });
    return true;
  };
}

/** Reads a record of a group's dead-letter topic. */
export function toDeadLetter(group: string, record: FetchedRecord): DeadLetter {
  const texts = new Map(record.headers.map(([name, value]) => [String(name), String(value ?? "")]));
  return {
    group,
    topic: texts.get(deadLetterHeaders.topic) ?? "",
    partition: Number(texts.get(deadLetterHeaders.partition) ?? 0),
    position: texts.get(deadLetterHeaders.offset) ?? "",
    key: record.key,
    cause: texts.get(deadLetterHeaders.cause) ?? "",
    buriedAtMs: record.appendedAtMs,
    payload: record.value,
  };
}
