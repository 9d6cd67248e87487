import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type ConnectorConfig,
  type ConnectorState,
  connectorState,
  putConnector,
  restartFailed,
  resumeConnector,
} from "@chirrup/servers";
import { databases, type DatabaseName, type DatabaseUrls } from "../databases.ts";
import { repositoryRoot } from "../paths.ts";
import type { Site } from "./ground.ts";

interface Worker {
  readonly url: string;
  /** What the configuration says in place of the password. */
  readonly passwordReference: string;
}

const configFile = join(repositoryRoot, "infra", "debezium", "outbox.json");
const runsWithinMs = 60_000;
const looksEveryMs = 1_000;
/** What goes on failing is told of so often. */
const tellsEveryMs = 60_000;

export const connectorName = (source: DatabaseName): string => `outbox-${source}`;

/** The connector's configuration with every `{{name}}` replaced; an unknown name is a fault of the file. */
export function fillConfig(text: string, values: Readonly<Record<string, string>>): ConnectorConfig {
  const filled = text.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`${configFile} asks for an unknown value: ${name}`);
    return JSON.stringify(value).slice(1, -1);
  });
  return JSON.parse(filled) as ConnectorConfig;
}

async function configure(worker: Worker, source: DatabaseName, reader: string): Promise<void> {
  const { hostname, port, username } = new URL(reader);
  const config = fillConfig(readFileSync(configFile, "utf8"), {
    source,
    database_host: hostname,
    database_port: port,
    database_user: username,
    database_password: worker.passwordReference,
    database_sslmode: "disable",
  });
  await putConnector(worker.url, connectorName(source), config);
}

/** Gives the worker a connector for each outbox, and waits until all of them stream. */
export async function startConnectors(
  signal: AbortSignal,
  worker: Worker,
  readers: DatabaseUrls["reader"],
): Promise<void> {
  await Promise.all(databases.map((source) => configure(worker, source, readers[source])));
  await Promise.all(databases.map((source) => untilRunning(signal, worker, source)));
}

async function untilRunning(signal: AbortSignal, worker: Worker, source: DatabaseName): Promise<void> {
  const until = Date.now() + runsWithinMs;
  for (;;) {
    const { state, trace } = await connectorState(worker.url, connectorName(source));
    if (state === "RUNNING") return;
    signal.throwIfAborted();
    if (Date.now() > until) {
      throw new Error(
        `connect: the connector of ${source} is ${state} after ${runsWithinMs / 1000} s: ${trace ?? "no reason is known"}`,
      );
    }
    // A recovery that was interrupted leaves its connector so.
    if (state === "STOPPED") await resumeConnector(worker.url, connectorName(source));
    // A configuration of an earlier start, with other ports, may have failed before it was replaced.
    if (state === "FAILED") await restartFailed(worker.url, connectorName(source));
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/**
 * Starts again, for ever, what fails: Connect itself leaves a failed task as it is. After a promotion it sends the
 * connector to the new primary, which has its slot.
 */
export function keepConnectors(site: Site, worker: Worker, urls: DatabaseUrls): void {
  const given = { ...urls.reader };
  const toldAtMs = new Map<DatabaseName, number>();
  function tell(source: DatabaseName, { trace = "?", cutOff }: ConnectorState): void {
    if (Date.now() - (toldAtMs.get(source) ?? 0) < tellsEveryMs) return;
    toldAtMs.set(source, Date.now());
    site.warn(
      "connect",
      cutOff
        ? `the slot of ${source} is lost, and with it events: run chirrup events recover`
        : `the connector of ${source} failed: ${trace}; starting it again`,
    );
  }
  async function look(): Promise<void> {
    for (const source of databases) {
      const reader = urls.reader[source];
      if (reader !== given[source]) {
        await configure(worker, source, reader);
        given[source] = reader;
        site.step(`the connector of ${source} goes to the new primary`);
      }
      const connector = await connectorState(worker.url, connectorName(source));
      if (connector.state !== "FAILED") continue;
      tell(source, connector);
      await restartFailed(worker.url, connectorName(source));
    }
  }
  let looking = false;
  const timer = setInterval(() => {
    if (looking) return;
    looking = true;
    // A worker that does not answer is the launcher's to start again, as any other part.
    look()
      .catch(() => undefined)
      .finally(() => (looking = false));
  }, looksEveryMs);
  site.signal.addEventListener("abort", () => clearInterval(timer), { once: true });
}
