import { audit } from "../audit/audit.ts";
import { auditCounters } from "../audit/counters.ts";
import { createApiClient } from "../api/client.ts";
import type { Home } from "../launcher/paths.ts";
import type { State } from "../launcher/state.ts";
import { type PartStatus, readStatus } from "../launcher/status.ts";
import { openAccount, type SeedAccount } from "../seed/accounts.ts";
import { createRandom, pick } from "../seed/random.ts";
import { createProgressBar } from "../terminal/progress-bar.ts";
import { createLedger, type Ledger } from "./ledger.ts";
import { startObserver } from "./observer.ts";
import { type Recovery, recoveries } from "./recoveries.ts";
import { scheduleKills, type Turn } from "./schedule.ts";
import { type Strike, strike, untilReady } from "./strike.ts";
import { verifyConsumers, verifySlots } from "./verify-flow.ts";
import { type CheckResult, result, verifyPosts, verifyTies } from "./verify-writes.ts";
import { type Kind, mastersOf, partsByKind } from "./victims.ts";
import { startWriter } from "./writer.ts";

export interface FaultsOptions {
  readonly kills: number;
  /** Kinds to kill; those that the platform has, without it. */
  readonly only: readonly Kind[] | undefined;
  readonly writesPerSecond: number;
  readonly users: number;
  readonly randomSeed: number;
}

export interface FaultsResult {
  readonly profile: string;
  readonly randomSeed: number;
  readonly seconds: number;
  readonly kills: number;
  readonly acknowledged: number;
  readonly ambiguous: number;
  readonly writes: Ledger["counts"];
  readonly recovery: readonly Recovery[];
  readonly killed: readonly Strike[];
  readonly checks: readonly CheckResult[];
  readonly faults: number;
}

const settleMs = 60_000;
const eachFollows = 4;

async function openAccounts(
  gatewayUrl: string,
  mark: string,
  users: number,
): Promise<{ accounts: SeedAccount[]; author: SeedAccount; reader: SeedAccount; close(): void }> {
  const api = createApiClient(gatewayUrl, 96);
  const accounts: SeedAccount[] = [];
  for (let number = 1; number <= users; number += 1)
    accounts.push(await openAccount(api, `${mark}_${number}`));
  const [author, reader] = [
    await openAccount(api, `${mark}_probe`),
    await openAccount(api, `${mark}_reader`),
  ];
  const follow = (from: SeedAccount, to: SeedAccount) =>
    from.call({ method: "PUT", path: `/api/v1/users/${to.id}/follow` });
  for (const account of [...accounts, author]) await follow(reader, account);
  // The feeds of readers who look are kept in Redis, and it is those that kills could harm.
  for (const account of [...accounts, reader]) await account.call({ method: "GET", path: "/api/v1/feed" });
  return { accounts, author, reader, close: () => api.close() };
}

async function chooseVictim(
  home: Home,
  { kind, which }: Turn<Kind>,
  redisPassword: string,
): Promise<PartStatus> {
  const status = await readStatus(home);
  let parts = "parts" in status ? (partsByKind(status.parts).get(kind) ?? []) : [];
  if (kind === "redis-master") parts = await mastersOf(parts, redisPassword);
  return pick(() => which, parts);
}

/**
 * Kills the parts of a running platform while users write, and then compares all that was acknowledged with
 * what is there. Nobody else may write meanwhile.
 */
export async function runFaults(home: Home, state: State, options: FaultsOptions): Promise<FaultsResult> {
  const startedAt = performance.now();
  const { access } = state;
  const random = createRandom(options.randomSeed);
  const status = await readStatus(home);
  const known = "parts" in status ? [...partsByKind(status.parts).keys()] : [];
  const absent = options.only?.filter((kind) => !known.includes(kind)) ?? [];
  if (absent.length > 0)
    throw new Error(`this platform has no ${absent.join(", ")}; it has: ${known.join(", ")}`);
  const turns = scheduleKills(random, options.only ?? known, options.kills);

  const mark = `f${Date.now().toString(36)}`;
  const { accounts, author, reader, close } = await openAccounts(state.gatewayUrl, mark, options.users);
  const ledger = createLedger();
  const followRandom = createRandom(options.randomSeed + 1);
  for (const account of accounts)
    for (let number = 0; number < eachFollows; number += 1) {
      const { id } = pick(followRandom, accounts);
      if (id === account.id) continue;
      await account.call({ method: "PUT", path: `/api/v1/users/${id}/follow` });
      const tie = {
        kind: "follow",
        from: account.id,
        to: id,
        there: true,
        closed: false,
        either: false,
      } as const;
      ledger.ties.set(`follow ${account.id} ${id}`, tie);
    }

  const strikes: Strike[] = [];
  const failed: string[] = [];
  const observer = startObserver(reader, ledger);
  const writer = startWriter({
    accounts,
    ledger,
    random: createRandom(options.randomSeed + 2),
    writesPerSecond: options.writesPerSecond,
    mark,
  });
  const bar = createProgressBar("kills", turns.length);
  try {
    for (const [index, turn] of turns.entries()) {
      await untilReady(home);
      await new Promise((resolve) => setTimeout(resolve, turn.pauseMs));
      const part = await chooseVictim(home, turn, new URL(access.redisUrl).password);
      const content = `${mark}_probe-${index}`;
      try {
        strikes.push(await strike({ home, kind: turn.kind, part, author, observer, content }));
      } catch (error) {
        failed.push(`kill ${index + 1}, ${part.name}: ${(error as Error).message}`);
      }
      bar.update(index + 1, part.name);
    }
    bar.finish();
  } finally {
    await writer.stop();
  }
  await untilReady(home);
  const checks = [
    result("recovery", turns.length, failed),
    await verifyPosts(ledger, access.databases.post, mark),
    await verifyTies(ledger, "follow", access.databases.follow),
    await verifyTies(ledger, "like", access.databases.post),
    await verifySlots(access.databases),
    await verifyConsumers(access.eventLogUrl),
  ];
  await observer.stop();
  close();
  checks.push(result("order", observer.pages, observer.faults));
  const { databases, feedAddress, peerSecret } = access;
  const feeds = await audit({
    databases,
    feedAddress,
    peerSecret,
    sample: undefined,
    pageSize: 100,
    concurrency: 4,
    settleMs,
  });
  checks.push({
    check: "feeds",
    compared: feeds.readers,
    faults: feeds.differences,
    first: feeds.first === null ? null : JSON.stringify(feeds.first),
  });
  const counters = await auditCounters({ databases, repair: false });
  checks.push({
    check: "counters",
    compared: counters.counters,
    faults: counters.differences,
    first: counters.first === null ? null : JSON.stringify(counters.first),
  });
  const counts = Object.values(ledger.counts);
  return {
    profile: state.profile,
    randomSeed: options.randomSeed,
    seconds: Math.round((performance.now() - startedAt) / 100) / 10,
    kills: turns.length,
    acknowledged: counts.reduce((sum, { acknowledged }) => sum + acknowledged, 0),
    ambiguous: counts.reduce((sum, { ambiguous }) => sum + ambiguous, 0),
    writes: ledger.counts,
    recovery: recoveries(strikes),
    killed: strikes,
    checks,
    faults: checks.reduce((sum, { faults }) => sum + faults, 0),
  };
}
