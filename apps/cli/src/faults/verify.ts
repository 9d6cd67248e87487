import { audit } from "../audit/audit.ts";
import { auditCounters } from "../audit/counters.ts";
import type { Access } from "../launcher/state.ts";
import type { Ledger } from "./ledger.ts";
import type { Observer } from "./observer.ts";
import { verifyConsumers, verifySlots } from "./verify-flow.ts";
import { type CheckResult, result, verifyPosts, verifyTies } from "./verify-writes.ts";

const settleMs = 60_000;
const readersAtOnce = 4;

/**
 * Compares all that was acknowledged with what is there, when nobody writes any more: rows, slots and consumers,
 * then every home feed with graph × posts, and every counter with its rows. Ends the observer.
 */
export async function verify(options: {
  readonly access: Access;
  readonly ledger: Ledger;
  readonly mark: string;
  readonly observer: Observer;
}): Promise<readonly CheckResult[]> {
  const { access, ledger, mark, observer } = options;
  const { databases, feedAddress, peerSecret } = access;
  const checks = [
    await verifyPosts(ledger, databases.post, mark),
    await verifyTies(ledger, "follow", databases.follow),
    await verifyTies(ledger, "like", databases.post),
    await verifySlots(databases),
    await verifyConsumers(access.eventLogUrl),
  ];
  await observer.stop();
  const feeds = await audit({
    databases,
    feedAddress,
    peerSecret,
    sample: undefined,
    pageSize: 100,
    concurrency: readersAtOnce,
    settleMs,
  });
  const counters = await auditCounters({ databases, repair: false });
  const told = (first: object | null): string | null => (first === null ? null : JSON.stringify(first));
  return [
    ...checks,
    result("order", observer.pages, observer.faults),
    { check: "feeds", compared: feeds.readers, faults: feeds.differences, first: told(feeds.first) },
    {
      check: "counters",
      compared: counters.counters,
      faults: counters.differences,
      first: told(counters.first),
    },
  ];
}
