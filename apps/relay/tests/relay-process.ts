import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort, isAlive, type RunningProcess, startProcess } from "@chirrup/servers";
import { waitFor } from "@chirrup/testkit";

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));

export interface RelayProcess {
  readonly pid: number;
  ready(): Promise<boolean>;
  checks(): Promise<Record<string, string>>;
  metrics(): Promise<string>;
  log(): string;
  kill(): Promise<void>;
  stop(): Promise<{ code: number | null }>;
}

/** Starts the relay as its operator does. Returns at once; `ready` tells the rest. */
export async function startRelayProcess(
  sources: Readonly<Record<string, string>>,
  eventLogUrl: string,
  env: Readonly<Record<string, string>> = {},
): Promise<RelayProcess> {
  const folder = mkdtempSync(join(tmpdir(), "chirrup-relay-"));
  const logFile = join(folder, "relay.log");
  const port = await freePort();
  const running: RunningProcess = await startProcess({
    command: process.execPath,
    args: ["-C", "source", main],
    logFile,
    env: {
      PATH: process.env["PATH"],
      HTTP_PORT: String(port),
      EVENT_LOG_URL: eventLogUrl,
      LOG_LEVEL: "debug",
      SOURCES: Object.entries(sources)
        .map(([name, url]) => `${name}=${url}`)
        .join(","),
      ...env,
    },
  });
  let ended = false;
  void running.exited.then(() => (ended = true));
  const report = async (): Promise<Response> => fetch(`http://127.0.0.1:${port}/readyz`);
  return {
    pid: running.pid,
    ready: async () => (await report().catch(() => undefined))?.status === 200,
    checks: async () => ((await (await report()).json()) as { checks: Record<string, string> }).checks,
    metrics: async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text(),
    log: () => readFileSync(logFile, "utf8"),
    async kill() {
      if (!ended) process.kill(running.pid, "SIGKILL");
      await running.exited;
      rmSync(folder, { recursive: true, force: true });
    },
    async stop() {
      return running.stop();
    },
  };
}

export async function whenReady(relay: RelayProcess): Promise<void> {
  await waitFor(
    async () => {
      if (!isAlive(relay.pid)) throw new Error(`the relay ended:\n${relay.log().slice(-3_000)}`);
      if (await relay.ready()) return true;
      throw new Error(`the relay is not ready:\n${relay.log().slice(-3_000)}`);
    },
    { timeoutMs: 30_000, what: "the relay is ready" },
  );
}
