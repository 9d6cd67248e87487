import type { ExitInfo } from "@chirrup/servers";
import { markOf, type PartRecord, type PartState, type ProcessMark } from "./state.ts";

/** A process that a part is at the moment. */
export interface PartProcess {
  readonly pid: number;
  readonly exited: Promise<ExitInfo>;
  stop(): Promise<ExitInfo>;
}

export interface PartSpec {
  readonly name: string;
  readonly url: string;
  readonly readyUrl?: string;
  readonly logFile: string;
  /** Pause before the first restart, for a part that others replace meanwhile. Default 0. */
  readonly restartAfterMs?: number;
  /**
   * Starts it; resolves once the process runs (a server: once it answers). An abort of the signal ends it,
   * sooner or later: what resolves all the same is stopped.
   */
  start(signal: AbortSignal): Promise<PartProcess>;
}

/** A part of the platform that is kept running. */
export interface Part {
  readonly spec: PartSpec;
  record(): PartRecord;
  /** Starts it and waits until it is ready; rejects when it ends before that. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

const readyWithinMs = 60_000;
const firstPauseMs = 200;
const longestPauseMs = 5_000;
/** A part that ran this long is taken to have been well: the next pause is the first again. */
const steadyAfterMs = 30_000;

export function exitText({ code, signal }: ExitInfo): string {
  return signal === null ? `exit code ${code}` : `killed by ${signal}`;
}

async function isReady(url: string | undefined): Promise<boolean> {
  if (url === undefined) return true;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(1_000) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

/**
 * Keeps one part running: when its process ends by itself it is started again, at once the first time and
 * after a growing pause when it goes on dying. Only the first start may fail for good.
 */
export function createPart(spec: PartSpec, changed: (part: Part, note: string | undefined) => void): Part {
  let state: PartState = "waiting";
  let current: PartProcess | undefined;
  let mark: ProcessMark | undefined;
  const stopping = new AbortController();
  let starting: Promise<unknown> = Promise.resolve();
  let restarts: Promise<void> = Promise.resolve();

  function become(next: PartState, note?: string): void {
    state = next;
    changed(part, note);
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      stopping.signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
    });
  }

  /** Starts the process once and waits until it is ready or has ended. */
  async function run(): Promise<PartProcess> {
    stopping.signal.throwIfAborted();
    const started = await spec.start(stopping.signal);
    current = started;
    mark = markOf(started.pid);
    changed(part, undefined);
    let ended: ExitInfo | undefined;
    void started.exited.then((info) => (ended = info));
    const until = Date.now() + readyWithinMs;
    while (!(await isReady(spec.readyUrl))) {
      if (ended !== undefined) throw new Error(`it ended before it was ready (${exitText(ended)})`);
      if (stopping.signal.aborted) throw new Error("it was stopped before it was ready");
      if (Date.now() > until) {
        await started.stop();
        throw new Error(`it was not ready within ${readyWithinMs / 1000} s`);
      }
      await pause(25);
    }
    return started;
  }

  async function keep(first: PartProcess): Promise<void> {
    let running = first;
    const leastPauseMs = spec.restartAfterMs ?? 0;
    let pauseMs = leastPauseMs;
    for (;;) {
      const since = Date.now();
      const info = await running.exited;
      if (stopping.signal.aborted) return;
      if (Date.now() - since > steadyAfterMs) pauseMs = leastPauseMs;
      become("restarting", exitText(info));
      for (;;) {
        await pause(pauseMs);
        if (stopping.signal.aborted) return;
        pauseMs = Math.min(Math.max(firstPauseMs, pauseMs * 2), longestPauseMs);
        try {
          running = await run();
          break;
        } catch (error) {
          if (stopping.signal.aborted) return;
          become("restarting", (error as Error).message);
        }
      }
      become("ready", "started again");
    }
  }

  const part: Part = {
    spec,
    record: () => ({ name: spec.name, process: mark, url: spec.url, readyUrl: spec.readyUrl, state }),
    async start() {
      if (stopping.signal.aborted) throw new Error(`${spec.name}: it was stopped before it was started`);
      become("starting");
      const first = run();
      starting = first.catch(() => undefined);
      try {
        restarts = keep(await first);
        become("ready");
      } catch (error) {
        // Another part's failure stops the whole start: this one is its victim.
        become(stopping.signal.aborted ? "stopped" : "failed");
        throw new Error(`${spec.name}: ${(error as Error).message}`, { cause: error });
      }
    },
    async stop() {
      stopping.abort(new Error("it was stopped"));
      // A server that is about to answer has a process already, which its start gives away in the end.
      await starting;
      if (current === undefined) return;
      if (state !== "failed") become("stopping");
      await current.stop();
      await restarts;
      // A restart that was under way when the stop came has a process of its own.
      await current.stop();
      mark = undefined;
      if (state !== "failed") become("stopped");
    },
  };
  return part;
}
