import type { Carrier, CarrierOptions } from "../carrier.ts";
import { openAdmin, openProducer } from "./clients.ts";
import { openSubscription } from "./subscription.ts";

/**
 * Opens the carrier of production: Kafka, whose topics Debezium fills from the outboxes. The URL is
 * that of parseKafkaUrl, with any broker of the cluster.
 */
export function openKafka(options: CarrierOptions): Carrier {
  const admin = openAdmin(options.url);
  const producer = openProducer(options.url);
  return {
    subscribe: (subscription) => openSubscription(subscription, { ...options, admin, producer }),
    async close() {
      await Promise.all([admin.close(), producer.close()]);
    },
  };
}
