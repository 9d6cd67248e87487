import type { Home } from "../launcher/paths.ts";
import { openSecrets } from "../launcher/secrets.ts";
import type { State } from "../launcher/state.ts";
import { type PartStatus, readStatus, runningState } from "../launcher/status.ts";
import { createRandom, pick } from "../seed/random.ts";
import { createProgressBar } from "../terminal/progress-bar.ts";
import { openCast } from "./cast.ts";
import { createLedger } from "./ledger.ts";
import { startObserver } from "./observer.ts";
import { type Recovery, recoveries } from "./recoveries.ts";
import { scheduleKills, type Victim } from "./schedule.ts";
import { aim, type Strike, strike, untilReady } from "./strike.ts";
import { summarize, type Summary } from "./summary.ts";
import { verify } from "./verify.ts";
import { result } from "./verify-writes.ts";
import { type Kind, mastersOf, partsByKind } from "./victims.ts";
import { startWriter } from "./writer.ts";

export interface KillOptions {
  readonly kills: number;
  /** Kinds to kill; without it all that the platform has. */
  readonly only: readonly Kind[] | undefined;
  readonly writesPerSecond: number;
  readonly writers: number;
  readonly randomSeed: number;
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
  const startedAt = performance.now();
  // Of a cluster the URL names several nodes, which no URL parser takes.
  const { redis: password } = openSecrets(home);
  const { randomSeed, writesPerSecond } = options;
  const kinds = await kindsToKill(home, options.only);
  const turns = scheduleKills(createRandom(randomSeed), kinds, options.kills, alone);
  const mark = `f${Date.now().toString(36)}`;
  const ledger = createLedger();
  const cast = await openCast({
    gatewayUrl: state.gatewayUrl,
    mark,
    writers: options.writers,
    random: createRandom(randomSeed + 1),
    ledger,
  });
  const random = createRandom(randomSeed + 2);
  const strikes: Strike[] = [];
  const failed: string[] = [];
  const observer = startObserver(cast.reader, ledger);
  const writer = startWriter({ accounts: cast.writers, ledger, random, writesPerSecond, mark });
  const bar = createProgressBar("kills", turns.length);
  try {
    for (const [index, turn] of turns.entries()) {
      await untilReady(home);
      await new Promise((resolve) => setTimeout(resolve, turn.pauseMs));
      const victim = await chooseVictim(home, turn, password);
      const content = `${mark}_probe-${index}`;
      try {
        const first = await aim(home, turn.kind, victim);
        const second = turn.second && {
          target: await aim(home, turn.second.kind, await chooseVictim(home, turn.second, password)),
          afterMs: turn.second.afterMs,
        };
        strikes.push(await strike({ home, first, second, content, ...cast }));
      } catch (error) {
        failed.push(`kill ${index + 1}, ${victim.name}: ${(error as Error).message}`);
      }
      bar.update(index + 1, victim.name);
    }
    bar.finish();
  } finally {
    await writer.stop();
  }
  try {
    await untilReady(home);
    // A promotion has changed where the databases are.
    const { access = state.access } = runningState(home) ?? {};
    const checks = await verify({ access, ledger, mark, observer });
    return {
      ...summarize({
        state,
        randomSeed,
        startedAt,
        ledger,
        checks: [result("recovery", turns.length, failed), ...checks],
      }),
      kills: options.kills,
      recovery: recoveries(strikes),
      killed: strikes,
    };
  } finally {
    await observer.stop();
    cast.close();
  }
}
