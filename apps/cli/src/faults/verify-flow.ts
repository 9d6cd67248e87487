import { createLogger, openEventLogOperator } from "@chirrup/platform";
import pg from "pg";
import type { Access } from "../launcher/state.ts";
import { patienceMs } from "./patience.ts";
import { type CheckResult, result } from "./verify-writes.ts";

const pollMs = 200;

type Databases = Access["databases"];

/** Asks until nothing is left, or what is left has not become less for as long as the patience lasts. */
async function poll<T>(ask: () => Promise<T>, left: (answer: T) => number): Promise<T> {
  let least = Infinity;
  let until = performance.now() + patienceMs;
  for (;;) {
    const answer = await ask();
    const now = left(answer);
    if (now < least) [least, until] = [now, performance.now() + patienceMs];
    if (now === 0 || performance.now() > until) return answer;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

/** Whether the slot of every outbox is read, and confirmed beyond what the log held when this was asked. */
export async function verifySlots(databases: Databases): Promise<CheckResult> {
  const names = Object.keys(databases) as (keyof Databases)[];
  const faults = await Promise.all(
    names.map(async (name) => {
      const client = new pg.Client({ connectionString: databases[name] });
      await client.connect();
      try {
        const { rows } = await client.query<{ lsn: string }>("SELECT pg_current_wal_lsn()::text AS lsn");
        const slot = await poll(
          async () => {
            const found = await client.query<{ active: boolean; behind: string }>(
              `SELECT active, ($2::pg_lsn - confirmed_flush_lsn)::text AS behind
               FROM pg_replication_slots WHERE slot_name = $1`,
              [`chirrup_${name}`, rows[0]?.lsn],
            );
            return found.rows[0];
          },
          (found) => (found?.active === true ? Math.max(0, Number(found.behind)) : Infinity),
        );
        if (slot === undefined) return [`the slot of ${name} is gone`];
        if (!slot.active) return [`nobody reads the slot of ${name}`];
        return Number(slot.behind) > 0 ? [`the slot of ${name} is ${slot.behind} bytes behind`] : [];
      } finally {
        await client.end();
      }
    }),
  );
  return result("slots", names.length, faults.flat());
}

/** Whether every group of consumers gets to the end of the log, and has given nothing up. */
export async function verifyConsumers(eventLogUrl: string): Promise<CheckResult> {
  const log = createLogger({ service: "chirrup", level: "silent", format: "json" });
  const operator = await openEventLogOperator({ url: eventLogUrl, log });
  try {
    const partitions = await poll(
      () => operator.lag(),
      (rows) => (rows.length === 0 ? Infinity : rows.reduce((sum, { lag }) => sum + lag, 0)),
    );
    const stuck = partitions
      .filter(({ lag }) => lag > 0)
      .map(({ group, topic, partition, lag }) => `${group} is ${lag} events behind on ${topic}/${partition}`);
    if (partitions.length === 0) stuck.push("no group reads the log");
    const dead = await operator.groupsWithDeadLetters();
    return result("consumers", partitions.length, [
      ...stuck,
      ...dead.map((group) => `${group} has dead letters`),
    ]);
  } finally {
    await operator.close();
  }
}
