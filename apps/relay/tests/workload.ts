import { setTimeout as pause } from "node:timers/promises";
import { partitionCount, streamKeys } from "@chirrup/platform";
import { Redis } from "ioredis";
import pg from "pg";
import type { OwnPostgres } from "./own-servers.ts";

export interface Workload {
  /** Transactions whose COMMIT was answered. */
  readonly committed: number;
  readonly done: Promise<void>;
}

/**
 * Commits transactions of one to three outbox rows from several connections at once. Each connection has its
 * own keys, which begin with `name`, and numbers the rows of each, so the order of their commits is known. Goes on through restarts.
 */
export function startWorkload(url: string, name: string, transactions: number, writers = 4): Workload {
  let committed = 0;
  let started = 0;

  async function write(writer: number): Promise<void> {
    const numbers = new Map<string, number>();
    let client: pg.Client | undefined;
    while (started < transactions) {
      started++;
      const key = `${name}-${writer}-${started % 7}`;
      try {
        if (client === undefined) {
          client = new pg.Client({ connectionString: url });
          client.on("error", () => undefined);
          await client.connect();
        }
        await client.query("BEGIN");
        for (let row = 0; row <= started % 3; row++) {
          const number = (numbers.get(key) ?? 0) + 1;
          // Taken even if the transaction fails: numbers need not be dense.
          numbers.set(key, number);
          await client.query("INSERT INTO outbox (id, topic, key, payload) VALUES ($1, 'posts', $2, $3)", [
            writer * 1_000_000_000 + started * 10 + row,
            key,
            Buffer.from(`${key}:${number}`),
          ]);
        }
        await client.query("COMMIT");
        committed++;
      } catch {
        await client?.end().catch(() => undefined);
        client = undefined;
        await pause(50);
      }
    }
    await client?.end();
  }
  const done = Promise.all(Array.from({ length: writers }, (_, writer) => write(writer))).then(
    () => undefined,
  );
  return {
    get committed() {
      return committed;
    },
    done,
  };
}

/** The payloads of all outbox rows, sorted. */
export async function outboxRows(postgres: OwnPostgres, database: string): Promise<string[]> {
  const rows = await postgres.query<{ payload: Buffer }>(database, "SELECT payload FROM outbox");
  return rows.map(({ payload }) => payload.toString()).toSorted();
}

/** The payloads of a topic's streams, partition after partition. */
export async function streamEntries(url: string, topic = "posts"): Promise<string[]> {
  const redis = new Redis(url);
  try {
    const payloads = [];
    for (let partition = 0; partition < partitionCount; partition++) {
      for (const [, fields] of await redis.xrange(streamKeys.stream(topic, partition), "-", "+"))
        payloads.push(fields[3] ?? "");
    }
    return payloads;
  } finally {
    redis.disconnect();
  }
}

export async function streamLength(url: string, topic = "posts"): Promise<number> {
  const redis = new Redis(url);
  try {
    let length = 0;
    for (let partition = 0; partition < partitionCount; partition++)
      length += await redis.xlen(streamKeys.stream(topic, partition));
    return length;
  } finally {
    redis.disconnect();
  }
}

export interface Faults {
  readonly lost: readonly string[];
  readonly repeated: readonly string[];
  readonly disorder: string | undefined;
}

export const noFaults: Faults = { lost: [], repeated: [], disorder: undefined };

/** Compares the streams with the outbox; at most ten of each fault. */
export function findFaults(rows: readonly string[], entries: readonly string[]): Faults {
  const counts = new Map<string, number>();
  for (const entry of entries) counts.set(entry, (counts.get(entry) ?? 0) + 1);
  return {
    lost: rows.filter((row) => !counts.has(row)).slice(0, 10),
    repeated: [...counts].flatMap(([entry, count]) => (count > 1 ? [entry] : [])).slice(0, 10),
    disorder: firstDisorder(entries),
  };
}

/** The first two payloads of one key that are not in the order of their numbers. */
function firstDisorder(payloads: readonly string[]): string | undefined {
  const last = new Map<string, number>();
  for (const payload of payloads) {
    const [key = "", number] = payload.split(":");
    const before = last.get(key) ?? 0;
    if (Number(number) <= before) return `${key}:${before} before ${payload}`;
    last.set(key, Number(number));
  }
  return undefined;
}
