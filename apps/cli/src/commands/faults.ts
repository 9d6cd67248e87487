import { type KillsResult, runKills } from "../faults/kills.ts";
import { type LostSlotResult, runLostSlot } from "../faults/lost-slot.ts";
import { runStall, type StallResult } from "../faults/stall.ts";
import type { Summary } from "../faults/summary.ts";
import { type Kind, kinds } from "../faults/victims.ts";
import { openHome } from "../launcher/paths.ts";
import { runningState } from "../launcher/status.ts";
import { paint } from "../terminal/print.ts";
import { wholeNumber } from "./whole-number.ts";

export interface FaultsFlags {
  readonly kills: string;
  readonly writes: string;
  readonly only?: readonly string[];
  readonly rate: string;
  readonly users: string;
  readonly randomSeed: string;
  readonly json?: boolean;
}

function kindOf(text: string): Kind {
  const kind = kinds.find((name) => name === text);
  if (kind === undefined) throw new Error(`--only takes ${kinds.join(", ")}, not "${text}"`);
  return kind;
}

const mib = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;

function killsTable({ recovery, ...run }: KillsResult): string {
  const ms = (value: number): string => `${(value / 1000).toFixed(1)} s`.padStart(9);
  const rows = recovery.map(
    (row) =>
      `${row.kind.padEnd(18)}${String(row.kills).padStart(6)} ${ms(row.readyMsP50)} ${ms(row.readyMsMax)} ${ms(row.visibleMsP50)} ${ms(row.visibleMsMax)}`,
  );
  return `${run.kills} kills in ${run.seconds} s.

                         the part is ready    a new post is in a feed
killed             kills       p50       max       p50       max
${rows.join("\n")}`;
}

function stallText(run: StallResult): string {
  return `${run.stalled} hung for ${run.stalledSeconds} s; all was applied ${run.caughtUpSeconds} s after it went on.
The slot's lag by the metrics: ${mib(run.lagBytesTold)}. WAL on disk, at most: ${mib(run.walBytesMax)} (the slot would be given up at ${mib(run.keptBytesMost)}).`;
}

function lostSlotText({ recovered, recoverSeconds }: LostSlotResult): string {
  const lines = recovered.map(({ source, replayed }) => `${source}: ${replayed} events were appended again`);
  return `chirrup events recover took ${recoverSeconds} s.\n${lines.join("\n")}`;
}

function checksTable({ acknowledged, ambiguous, profile, randomSeed, checks }: Summary): string {
  const lines = checks.map(({ check, compared, faults, first }) => {
    const mark = faults === 0 ? paint("green", "✓") : paint("red", "✗");
    const text = `${mark} ${check.padEnd(10)} ${String(compared).padStart(8)} compared, ${faults} wrong`;
    return first === null ? text : `${text}; the first: ${first}`;
  });
  return `${acknowledged} writes acknowledged, ${ambiguous} ambiguous (profile ${profile}, --random-seed ${randomSeed})

${lines.join("\n")}`;
}

/** `chirrup faults`: exit code 1 when something acknowledged was lost, doubled or turned round. */
export async function faults(what: string, flags: FaultsFlags): Promise<void> {
  const home = openHome();
  const state = runningState(home);
  if (state === undefined) throw new Error("nothing runs; start the platform with: npm run up");
  const load = {
    writesPerSecond: wholeNumber("--rate", flags.rate, 1, 1_000),
    writers: wholeNumber("--users", flags.users, 2, 1_000),
    randomSeed: wholeNumber("--random-seed", flags.randomSeed, 0, 4_294_967_295),
  };
  let result: Summary;
  let text: string;
  if (what === "stall") {
    const writes = wholeNumber("--writes", flags.writes, 1, 10_000_000);
    const stall = await runStall(home, state, { writes, ...load });
    [result, text] = [stall, stallText(stall)];
  } else if (what === "lost-slot") {
    const writes = wholeNumber("--writes", flags.writes, 1, 10_000_000);
    const lost = await runLostSlot(home, state, { writes, ...load });
    [result, text] = [lost, lostSlotText(lost)];
  } else {
    const count = wholeNumber("--kills", flags.kills, 1, 100_000);
    const kills = await runKills(home, state, { kills: count, only: flags.only?.map(kindOf), ...load });
    [result, text] = [kills, killsTable(kills)];
  }
  if (result.faults > 0) process.exitCode = 1;
  process.stdout.write(
    flags.json === true ? `${JSON.stringify(result)}\n` : `\n${text}\n\n${checksTable(result)}\n`,
  );
}
