import { Admin, Consumer, type GroupOptions, Producer } from "@platformatic/kafka";
import { parseBrokers } from "./brokers.ts";

const clientId = "chirrup";

function connection(url: string, retries: number) {
  const bootstrapBrokers = parseBrokers(url);
  if (bootstrapBrokers === undefined)
    throw new Error("the URL of Kafka must be kafka://host:port[,host:port…]");
  return {
    clientId,
    bootstrapBrokers,
    connectTimeout: 2_000,
    /** Longer than a rebalance, which a JoinGroup waits for. */
    requestTimeout: 30_000,
    retries,
    retryDelay: 200,
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
