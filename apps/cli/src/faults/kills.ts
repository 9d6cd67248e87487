import type { Home } from "../launcher/paths.ts";
import { openSecrets } from "../launcher/secrets.ts";
import type { State } from "../launcher/state.ts";
import { type PartStatus, readStatus, runningState } from "../launcher/status.ts";
import { createRandom, pick } from "../seed/random.ts";
import { createProgressBar } from "../terminal/progress-bar.ts";
import { type Recovery, recoveries } from "./recoveries.ts";
import { type Load, openRun } from "./run.ts";
import { scheduleKills, type Victim } from "./schedule.ts";
import { aim, type Strike, strike, untilReady } from "./strike.ts";
import type { Summary } from "./summary.ts";
import { result } from "./verify-writes.ts";
import { type Kind, mastersOf, partsByKind } from "./victims.ts";

export interface KillOptions extends Load {
  readonly kills: number;
  /** Kinds to kill; without it all that the platform has. */
  readonly only: readonly Kind[] | undefined;
}

export interface KillsResult extends Summary {
  readonly kills: number;
  readonly recovery: readonly Recovery[];
  readonly killed: readonly Strike[];
}

/** A promotion needs the replica that another kill could take. */
const alone: readonly Kind[] = ["promotion"];

async function chooseVictim(
  home: Home,
  { kind, which }: Victim<Kind>,
  redisPassword: string,
): Promise<PartStatus> {
  const status = await readStatus(home);
  let parts = "parts" in status ? (partsByKind(home, status.parts).get(kind) ?? []) : [];
  if (kind === "redis-master") parts = await mastersOf(parts, redisPassword);
  return pick(() => which, parts);
}

async function kindsToKill(home: Home, only: readonly Kind[] | undefined): Promise<readonly Kind[]> {
  const status = await readStatus(home);
  const known = "parts" in status ? [...partsByKind(home, status.parts).keys()] : [];
  const absent = only?.filter((kind) => !known.includes(kind)) ?? [];
  if (absent.length > 0)
    throw new Error(`this platform has no ${absent.join(", ")}; it has: ${known.join(", ")}`);
  return only ?? known;
}

/**
 * Kills the parts of a running platform while users write, and then compares all that was acknowledged with
 * what is there. Nobody else may write meanwhile.
 */
export async function runKills(home: Home, state: State, options: KillOptions): Promise<KillsResult> {
  // Of a cluster the URL names several nodes, which no URL parser takes.
  const { redis: password } = openSecrets(home);
  const kinds = await kindsToKill(home, options.only);
  const turns = scheduleKills(createRandom(options.randomSeed), kinds, options.kills, alone);
  await using run = await openRun(state, options);
  const strikes: Strike[] = [];
  const failed: string[] = [];
  const writer = run.startWriter();
  const bar = createProgressBar("kills", turns.length);
  try {
    for (const [index, turn] of turns.entries()) {
      await untilReady(home);
      await new Promise((resolve) => setTimeout(resolve, turn.pauseMs));
      const victim = await chooseVictim(home, turn, password);
      const content = `${run.mark}_probe-${index}`;
      try {
        const first = await aim(home, turn.kind, victim);
        const second = turn.second && {
          target: await aim(home, turn.second.kind, await chooseVictim(home, turn.second, password)),
          afterMs: turn.second.afterMs,
        };
        strikes.push(await strike({ home, first, second, content, ...run.cast }));
      } catch (error) {
        failed.push(`kill ${index + 1}, ${victim.name}: ${(error as Error).message}`);
      }
      bar.update(index + 1, victim.name);
    }
    bar.finish();
  } finally {
    await writer.stop();
  }
  await untilReady(home);
  // A promotion has changed where the databases are.
  const { access = state.access } = runningState(home) ?? {};
  const checks = [result("recovery", turns.length, failed), ...(await run.verify(access))];
  return {
    ...run.summarize(checks),
    kills: options.kills,
    recovery: recoveries(strikes),
    killed: strikes,
  };
}
