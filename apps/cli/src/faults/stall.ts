import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import type { Home } from "../launcher/paths.ts";
import { readPrimary } from "../launcher/roles.ts";
import type { State } from "../launcher/state.ts";
import { createProgressBar } from "../terminal/progress-bar.ts";
import { type Load, openRun } from "./run.ts";
import { slotMetric } from "./slot-metrics.ts";
import { untilReady } from "./strike.ts";
import type { Summary } from "./summary.ts";
import { verifyConsumers, verifySlots } from "./verify-flow.ts";
import { result } from "./verify-writes.ts";

export interface StallOptions extends Load {
  /** Writes that are acknowledged while nobody carries events. */
  readonly writes: number;
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
/** Postgres's wal_sender_timeout, and some: a reader that hangs for longer has lost its connection. */
const cutOffAfterMs = 90_000;

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

/**
 * Stops what carries events (SIGSTOP: it hangs, and nobody starts it again) while users write, lets it go on, and
 * compares all that was acknowledged with what is there.
 */
export async function runStall(home: Home, state: State, options: StallOptions): Promise<StallResult> {
  const { access, parts } = state;
  const { writes } = options;
  const carrier = parts.find(({ name }) => name === "connect" || name === "relay");
  const pid = carrier?.process?.pid;
  if (carrier === undefined || pid === undefined) throw new Error("nothing carries events here");
  const postgres = state.profile === "full" ? readPrimary(home, "post") : "postgres";
  const walFolder = join(home.dataDir(postgres), "pg_wal");
  await using run = await openRun(state, options);
  let walBytesMax = 0;
  let lagBytesTold = 0;
  const untold: string[] = [];
  const bar = createProgressBar("writes", writes);
  process.kill(pid, "SIGSTOP");
  const stalledAt = performance.now();
  const writer = run.startWriter();
  try {
    while (run.acknowledged() < writes) {
      await new Promise((resolve) => setTimeout(resolve, sampleMs));
      walBytesMax = Math.max(walBytesMax, folderBytes(walFolder));
      bar.update(Math.min(run.acknowledged(), writes));
    }
    lagBytesTold = (await slotMetric(state, "post", "lag_bytes")) ?? 0;
    if (lagBytesTold === 0) untold.push("the metrics told of no lag");
    const active = await slotMetric(state, "post", "active");
    if (performance.now() - stalledAt > cutOffAfterMs && active !== 0)
      untold.push("the metrics did not tell that nobody reads the slot");
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
    result("alert", 2, untold),
    ...(await run.verify(access)),
  ];
  const seconds = (fromMs: number, toMs: number): number => Math.round((toMs - fromMs) / 100) / 10;
  return {
    ...run.summarize(checks),
    stalled: carrier.name,
    stalledSeconds: seconds(stalledAt, resumedAt),
    walBytesMax,
    keptBytesMost,
    lagBytesTold,
    caughtUpSeconds: seconds(resumedAt, caughtUpAt),
  };
}
