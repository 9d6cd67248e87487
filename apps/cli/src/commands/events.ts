import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  createLogger,
  type DeadLetter,
  describeEvent,
  type EventLogOperator,
  openEventLogOperator,
} from "@chirrup/platform";
import { durationMs } from "../events/duration.ts";
import { needsRecovery, recoverOutbox } from "../events/recover-outbox.ts";
import { replayOutbox } from "../events/replay-outbox.ts";
import { databases as databaseNames } from "../launcher/databases.ts";
import { connectorName } from "../launcher/profiles/connectors.ts";
import { openHome } from "../launcher/paths.ts";
import type { Access } from "../launcher/state.ts";
import { runningState } from "../launcher/status.ts";
import { wholeNumber } from "./whole-number.ts";

export interface JsonFlag {
  readonly json?: boolean;
}

export interface DeadLettersFlags extends JsonFlag {
  readonly group?: string;
  readonly limit: string;
}

export interface ReplayFlags extends DeadLettersFlags {
  readonly fromOutbox?: boolean;
  readonly source?: string;
  readonly since: string;
}

export interface RecoverFlags extends JsonFlag {
  readonly since: string;
}

const mostDeadLetters = 100_000;

async function withLog<T>(work: (operator: EventLogOperator, access: Access) => Promise<T>): Promise<T> {
  const state = runningState(openHome());
  if (state === undefined) throw new Error("nothing runs; start the platform with: npm run up");
  const log = createLogger({ service: "chirrup", level: "silent", format: "json" });
  const operator = await openEventLogOperator({ url: state.access.eventLogUrl, log });
  try {
    return await work(operator, state.access);
  } finally {
    await operator.close();
  }
}

function print(flags: JsonFlag, answer: object, lines: readonly string[]): void {
  process.stdout.write(flags.json === true ? `${JSON.stringify(answer)}\n` : `${lines.join("\n")}\n`);
}

/** `chirrup events lag`: what each group has not committed yet. */
export function lag(flags: JsonFlag): Promise<void> {
  return withLog(async (operator) => {
    const partitions = await operator.lag();
    const total = partitions.reduce((sum, row) => sum + row.lag, 0);
    const lines = Object.entries(Object.groupBy(partitions, ({ group, topic }) => `${group} ${topic}`)).map(
      ([name, rows = []]) => {
        const behind = rows.reduce((sum, row) => sum + row.lag, 0);
        return `${name.padEnd(32)} ${String(behind).padStart(8)}   by partition: ${rows.map((row) => row.lag).join(" ")}`;
      },
    );
    print(flags, { lag: total, partitions }, lines.length === 0 ? ["No group reads the log."] : lines);
  });
}

const groupsOf = async (operator: EventLogOperator, group: string | undefined): Promise<readonly string[]> =>
  group === undefined ? operator.groupsWithDeadLetters() : [group];

function toJson({ payload, buriedAtMs, ...letter }: DeadLetter): object {
  const told = describeEvent(payload);
  return {
    ...letter,
    buriedAt: new Date(buriedAtMs).toISOString(),
    event: told?.event ?? null,
    eventId: told?.eventId ?? null,
    payload: Buffer.from(payload).toString("base64"),
  };
}

function toLine(letter: DeadLetter): string {
  const { group, topic, partition, position, key, cause, buriedAtMs, payload } = letter;
  const told = describeEvent(payload);
  const event = told === undefined ? "not an event" : `${told.event} ${told.eventId}`;
  return `${new Date(buriedAtMs).toISOString()}  ${group}  ${topic}/${partition}@${position}  key ${key}  ${event}: ${cause}`;
}

/** `chirrup events dead-letters`: what groups could not apply. */
export function deadLetters(flags: DeadLettersFlags): Promise<void> {
  const limit = wholeNumber("--limit", flags.limit, 1, mostDeadLetters);
  return withLog(async (operator) => {
    const letters: DeadLetter[] = [];
    for (const group of await groupsOf(operator, flags.group))
      letters.push(...(await operator.deadLetters(group, limit)));
    print(
      flags,
      { deadLetters: letters.map(toJson) },
      letters.length === 0 ? ["There are no dead letters."] : letters.map(toLine),
    );
  });
}

function sourceUrl({ databases }: Access, source: string | undefined): string {
  const url = Object.entries(databases).find(([name]) => name === source)?.[1];
  if (url === undefined) throw new Error(`--source must be one of ${Object.keys(databases).join(", ")}`);
  return url;
}

/** `chirrup events replay`: appends dead letters again or, with --from-outbox, what an outbox keeps. */
export function replay(flags: ReplayFlags): Promise<void> {
  const limit = wholeNumber("--limit", flags.limit, 1, mostDeadLetters);
  const sinceMs = durationMs("--since", flags.since);
  return withLog(async (operator, access) => {
    let replayed = 0;
    if (flags.fromOutbox === true) {
      const databaseUrl = sourceUrl(access, flags.source);
      const onProgress = (rows: number): void => void process.stderr.write(`${rows} rows …\n`);
      replayed = await replayOutbox({ databaseUrl, operator, sinceMs, onProgress });
    } else {
      for (const group of await groupsOf(operator, flags.group))
        replayed += await operator.replayDeadLetters(group, limit);
    }
    print(flags, { replayed }, [`Appended ${replayed} events again.`]);
  });
}

/**
 * `chirrup events recover`: makes lost slots anew and appends what their outboxes keep. A recovery that was interrupted is
 * known by a file, since its slot is there again while events are missing, and is begun anew.
 */
export function recover(flags: RecoverFlags): Promise<void> {
  const sinceMs = durationMs("--since", flags.since);
  const home = openHome();
  return withLog(async (operator, { connect, databases }) => {
    if (connect === undefined)
      throw new Error("the relay of the embedded profile recovers from a lost slot by itself");
    const recovered: { source: string; replayed: number }[] = [];
    for (const source of databaseNames) {
      const unfinished = join(home.dir, `recovery-of-${source}`);
      const where = {
        slot: `chirrup_${source}`,
        connector: connectorName(source),
        connectUrl: connect.url,
        readerUrl: connect.readers[source],
      };
      if (!existsSync(unfinished) && !(await needsRecovery(where))) continue;
      writeFileSync(unfinished, "");
      const replayed = await recoverOutbox({
        ...where,
        databaseUrl: databases[source],
        operator,
        sinceMs,
        onProgress: (what) => void process.stderr.write(`${what}\n`),
      });
      rmSync(unfinished);
      recovered.push({ source, replayed });
    }
    const lines = recovered.map(
      ({ source, replayed }) => `${source}: the slot is made anew, ${replayed} events are appended again.`,
    );
    print(flags, { recovered }, lines.length === 0 ? ["No slot is lost."] : lines);
  });
}
