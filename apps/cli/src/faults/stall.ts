import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import type { Home } from "../launcher/paths.ts";
import type { State } from "../launcher/state.ts";
import { createRandom } from "../seed/random.ts";
import { createProgressBar } from "../terminal/progress-bar.ts";
import { openCast } from "./cast.ts";
import { createLedger, type Ledger } from "./ledger.ts";
import { startObserver } from "./observer.ts";
import { untilReady } from "./strike.ts";
import { summarize, type Summary } from "./summary.ts";
import { verifyConsumers, verifySlots } from "./verify-flow.ts";
import { verify } from "./verify.ts";
import { result } from "./verify-writes.ts";
import { startWriter } from "./writer.ts";

export interface StallOptions {
  /** Writes that are acknowledged while nobody carries events. */
  readonly writes: number;
  readonly writesPerSecond: number;
  readonly writers: number;
  readonly randomSeed: number;
}

export interface StallResult extends Summary {
  /** What was stopped: connect or relay. */
  readonly stalled: string;
  readonly stalledSeconds: number;
  /** The most that lay in the folder of the post database's write-ahead log. */
  readonly walBytesMax: number;
  /** max_slot_wal_keep_size: where Postgres gives the slot up. */
  readonly keptBytesMost: number;
  /** As the post service's metrics said at the end of the stall. */
  readonly lagBytesTold: number;
  /** From the end of the stall until every consumer had applied everything. */
  readonly caughtUpSeconds: number;
}

const sampleMs = 250;

function folderBytes(folder: string): number {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { name }) => sum + statSync(join(folder, name)).size, 0);
}

async function keepSizeBytes(url: string): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ bytes: string }>(
      "SELECT (setting::bigint * 1024 * 1024)::text AS bytes FROM pg_settings WHERE name = 'max_slot_wal_keep_size'",
    );
    return Number(rows[0]?.bytes);
  } finally {
    await client.end();
  }
}

/** The slot's lag as whoever watches the platform would see it. */
async function toldLagBytes(state: State): Promise<number> {
  const readyUrl = state.parts.find(({ name }) => name === "post")?.readyUrl ?? "";
  const text = await (await fetch(new URL("/metrics", readyUrl))).text();
  const told = /^chirrup_outbox_slot_lag_bytes\{.*slot="chirrup_post".*\} (\S+)$/m.exec(text)?.[1];
  return Number(told ?? 0);
}

const acknowledged = ({ counts }: Ledger): number =>
  Object.values(counts).reduce((sum, count) => sum + count.acknowledged, 0);

/**
 * Stops what carries events (SIGSTOP: it hangs, and nobody starts it again) while users write, lets it go on, and
 * compares all that was acknowledged with what is there.
 */
export async function runStall(home: Home, state: State, options: StallOptions): Promise<StallResult> {
  const startedAt = performance.now();
  const { access, parts, gatewayUrl } = state;
  const { randomSeed, writesPerSecond, writes } = options;
  const carrier = parts.find(({ name }) => name === "connect" || name === "relay");
  const pid = carrier?.process?.pid;
  if (carrier === undefined || pid === undefined) throw new Error("nothing carries events here");
  const postgres = parts.find(({ name }) => name === "postgres-post") ?? { name: "postgres" };
  const walFolder = join(home.dataDir(postgres.name), "pg_wal");
  const mark = `f${Date.now().toString(36)}`;
  const ledger = createLedger();
  const random = createRandom(randomSeed);
  const cast = await openCast({ gatewayUrl, mark, writers: options.writers, random, ledger });
  const observer = startObserver(cast.reader, ledger);
  let walBytesMax = 0;
  let lagBytesTold = 0;
  const bar = createProgressBar("writes", writes);
  try {
    process.kill(pid, "SIGSTOP");
    const stalledAt = performance.now();
    const writer = startWriter({
      accounts: cast.writers,
      ledger,
      random: createRandom(randomSeed + 1),
      writesPerSecond,
      mark,
    });
    try {
      while (acknowledged(ledger) < writes) {
        await new Promise((resolve) => setTimeout(resolve, sampleMs));
        walBytesMax = Math.max(walBytesMax, folderBytes(walFolder));
        bar.update(Math.min(acknowledged(ledger), writes));
      }
      lagBytesTold = await toldLagBytes(state);
    } finally {
      await writer.stop();
      process.kill(pid, "SIGCONT");
    }
    bar.finish();
    const resumedAt = performance.now();
    await Promise.all([verifySlots(access.databases), verifyConsumers(access.eventLogUrl)]);
    const caughtUpAt = performance.now();
    await untilReady(home);
    const keptBytesMost = await keepSizeBytes(access.databases.post);
    const checks = [
      result("disk", 1, walBytesMax > keptBytesMost ? [`${walBytesMax} bytes of WAL were kept`] : []),
      result("alert", 1, lagBytesTold > 0 ? [] : ["the metrics told of no lag"]),
      ...(await verify({ access, ledger, mark, observer })),
    ];
    const seconds = (fromMs: number, toMs: number): number => Math.round((toMs - fromMs) / 100) / 10;
    return {
      ...summarize({ state, randomSeed, startedAt, ledger, checks }),
      stalled: carrier.name,
      stalledSeconds: seconds(stalledAt, resumedAt),
      walBytesMax,
      keptBytesMost,
      lagBytesTold,
      caughtUpSeconds: seconds(resumedAt, caughtUpAt),
    };
  } finally {
    await observer.stop();
    cast.close();
  }
}
