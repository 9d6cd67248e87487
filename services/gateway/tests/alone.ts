import { createMetrics, createReadiness } from "@chirrup/platform";
import { testLog } from "@chirrup/testkit";
import { runAlone, type RunAloneOptions } from "../src/command-line/run-alone.ts";
import { createHttpClient, type HttpClient } from "./http-client.ts";

export interface Alone {
  readonly ask: HttpClient;
  /** At its admin port. */
  readonly askAdmin: HttpClient;
  /** What it told its user. */
  readonly text: string;
  [Symbol.asyncDispose](): Promise<void>;
}

/** `chirrup-gateway run` in this process. */
export async function startAlone(
  options: Omit<RunAloneOptions, "host" | "port" | "adminPort">,
): Promise<Alone> {
  const stopping = new AbortController();
  const closers: (() => Promise<void> | void)[] = [];
  const text = await runAlone(
    {
      config: { SHUTDOWN_GRACE_MS: 100 },
      log: testLog(),
      metrics: createMetrics({ service: "gateway" }),
      readiness: createReadiness(),
      signal: stopping.signal,
      onStop: (_, close) => closers.unshift(close),
    },
    { ...options, host: "127.0.0.1", port: 0, adminPort: 0 },
  );
  const [port = 0, adminPort = 0] = [...text.matchAll(/:\/\/127\.0\.0\.1:(\d+)/g)].map((match) =>
    Number(match[1]),
  );
  const [ask, askAdmin] = [createHttpClient(port), createHttpClient(adminPort)];
  return {
    ask,
    askAdmin,
    text,
    async [Symbol.asyncDispose]() {
      ask.close();
      askAdmin.close();
      stopping.abort();
      for (const close of closers) await close();
    },
  };
}
