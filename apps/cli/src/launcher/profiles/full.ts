import { serviceNames } from "../services.ts";
import type { Ground, Site } from "./ground.ts";
import { findJavaInputs, startBrokers, startConnectWorker, streamOutboxes } from "./kafka-parts.ts";
import { startPostgresPairs } from "./postgres-pairs.ts";
import { startRedisClusterParts } from "./redis-cluster-parts.ts";

/**
 * What production runs, on one machine: a Postgres primary and replica for each service, Redis Cluster, Kafka,
 * and Debezium on Kafka Connect.
 */
export async function startFull(site: Site): Promise<Ground> {
  const jvm = await findJavaInputs(site);
  site.signal.throwIfAborted();
  const startKafka = async () => {
    const brokers = await startBrokers(site, jvm);
    return { brokers, worker: await startConnectWorker(site, jvm, brokers) };
  };
  const [databases, { brokers, worker }, cacheUrl] = await Promise.all([
    startPostgresPairs(site),
    startKafka(),
    startRedisClusterParts(site),
  ]);
  site.signal.throwIfAborted();
  await streamOutboxes(site, worker, databases);
  return {
    databases,
    cacheUrl,
    connectUrl: worker.url,
    eventLogUrl: `kafka://${brokers.join(",")}`,
    services: serviceNames.filter((name) => name !== "relay"),
  };
}
