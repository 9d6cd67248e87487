import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { Admin, Consumer, type GroupOptions, Producer } from "@platformatic/kafka";
import { kafkaUrlForm, parseKafkaUrl } from "./brokers.ts";

const clientId = "chirrup";

function connection(url: string, retries: number) {
  const address = parseKafkaUrl(url);
  if (address === undefined) throw new Error(`the URL of Kafka must be ${kafkaUrlForm}`);
  const { brokers, tls, caFile, credentials } = address;
  const named = brokers.every((broker) => isIP(broker.slice(0, broker.lastIndexOf(":"))) === 0);
  return {
    clientId,
    bootstrapBrokers: brokers,
    connectTimeout: 2_000,
    /** Longer than a rebalance, which a JoinGroup waits for. */
    requestTimeout: 30_000,
    retries,
    retryDelay: 200,
    ...(tls ? { tls: caFile === undefined ? {} : { ca: readFileSync(caFile) }, tlsServerName: named } : {}),
    ...(credentials === undefined ? {} : { sasl: credentials }),
  };
}

/** Asks about topics, offsets and groups. */
export function openAdmin(url: string): Admin {
  return new Admin(connection(url, 3));
}

/** Resolves a send when all in-sync replicas have it. A send that is repeated may double its records. */
export function openProducer(url: string): Producer {
  return new Producer({ ...connection(url, 3), acks: -1, autocreateTopics: false });
}

/**
 * A consumer without retries of its own. Why: after a refused commit the library would join anew and
 * commit the old position under the new membership.
 */
export function openConsumer(url: string, options: GroupOptions & { groupId: string }): Consumer {
  const consumer: Consumer = new Consumer({ ...connection(url, 0), ...options });
  // Each operation reports its failure to its caller; an event nobody listens to would end the process.
  consumer.on("error", () => undefined);
  return consumer;
}
