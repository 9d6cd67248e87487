import type { z } from "zod";

import type { ProcessSettings } from "../config/index.ts";
import { createLogger, type Logger } from "../log/index.ts";
import { createMetrics, type Metrics } from "../metrics/index.ts";
import { createClosers, within } from "./closers.ts";
import { onProcessFault, onStopRequest } from "./process-events.ts";
import { readConfig } from "./read-config.ts";
import { createReadiness, type Readiness } from "./readiness.ts";

/** What a program is given to start with. */
export interface Lifecycle<C> {
  readonly config: C;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Has the check "lifecycle", which fails until `start` has resolved and again from the request to stop. */
  readonly readiness: Readiness;
  /** Aborts when the process is asked to stop, before anything is closed. */
  readonly signal: AbortSignal;
  /** Closers run one after the other in the reverse order of their registration. */
  onStop(name: string, close: () => Promise<void> | void): void;
}

export interface RunServiceOptions<S extends z.ZodObject<ProcessSettings>> {
  /** Stands in the log and in the metrics: "post". */
  readonly name: string;
  /** The settings, with `processSettings` among them. */
  readonly schema: S;
  /** Resolves when the program is ready to serve. */
  start(life: Lifecycle<z.infer<S>>): Promise<void>;
}

/** Beyond the grace, so that a server that uses all of it can still end its calls by force. */
const closeMarginMs = 1_000;

/**
 * Runs a program from its settings to its end. SIGTERM, SIGINT and, under CHIRRUP_SUPERVISED=1, the end of the
 * standard input ask it to stop: it turns unready, `signal` aborts, the closers run, and the process ends by itself
 * with code 0. Exit codes otherwise: 78 when the settings are wrong, 1 when `start` or a closer fails, when nothing
 * handles an error, or when something still keeps the process alive SHUTDOWN_GRACE_MS after the last closer.
 */
export async function runService<S extends z.ZodObject<ProcessSettings>>(
  options: RunServiceOptions<S>,
): Promise<void> {
  const config = readConfig(options.schema);
  if (config === undefined) return;
  const { LOG_LEVEL: level, LOG_FORMAT: format, SHUTDOWN_GRACE_MS: graceMs } = config;
  const log = createLogger({ service: options.name, level, format });
  const readiness = createReadiness();
  const closers = createClosers(log);
  const stopping = new AbortController();
  const { promise: stopRequested, resolve: requestStop } = Promise.withResolvers<void>();

  readiness.set("lifecycle", "starting");
  const faults = onProcessFault((err, origin) => {
    log.fatal({ err, origin }, "nothing handled this error");
    // Nothing can be trusted to close any more; the supervisor starts it anew.
    // oxlint-disable-next-line unicorn/no-process-exit
    process.exit(1);
  });
  const requests = onStopRequest((reason) => {
    if (stopping.signal.aborted) return;
    log.info({ reason }, "stopping");
    readiness.set("lifecycle", "stopping");
    stopping.abort(new Error(`stopping: ${reason}`));
    requestStop();
  });

  const starting = options.start({
    config,
    log,
    metrics: createMetrics({ service: options.name, processMetrics: true }),
    readiness,
    signal: stopping.signal,
    onStop: (name, close) => closers.add(name, close),
  });
  try {
    await Promise.race([starting, stopRequested]);
    if (!stopping.signal.aborted) {
      readiness.set("lifecycle", undefined);
      log.info("ready");
    }
    await stopRequested;
    await within(graceMs, async () => starting);
  } catch (err) {
    // What fails because it was told to stop has not failed.
    if (!stopping.signal.aborted) {
      log.fatal({ err }, "could not start");
      process.exitCode = 1;
      readiness.set("lifecycle", "failed to start");
      stopping.abort(err);
    }
  }

  const closed = await closers.closeAll(graceMs + closeMarginMs);
  if (!closed) process.exitCode = 1;
  requests.dispose();
  log.info({ exitCode: process.exitCode ?? 0 }, "stopped");
  // Does not keep the process alive itself: it only fires when something else does.
  setTimeout(() => {
    faults.dispose();
    log.error(
      { resources: process.getActiveResourcesInfo() },
      "something keeps the process alive: ending it",
    );
    // oxlint-disable-next-line unicorn/no-process-exit
    process.exit(1);
  }, graceMs).unref();
}
