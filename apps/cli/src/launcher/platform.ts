import { randomBytes } from "node:crypto";
import { existsSync, renameSync, statSync } from "node:fs";
import { freePort, portIsFree, startProcess } from "@chirrup/servers";
import type { Logger } from "@chirrup/platform";
import { memoryOfTreesMib } from "./memory.ts";
import type { Heap, UpOptions } from "./options.ts";
import { createPart, type Part } from "./part.ts";
import type { Home } from "./paths.ts";
import { startEmbedded } from "./profiles/embedded.ts";
import { startFull } from "./profiles/full.ts";
import { type Ground, type Site, type StopWave, stopWaves } from "./profiles/ground.ts";
import { ensureRedisProgram } from "./redis-program.ts";
import { openSecrets, type Secrets } from "./secrets.ts";
import {
  describeService,
  type ServiceInputs,
  type ServiceName,
  serviceNames,
  type ServicePorts,
} from "./services.ts";
import {
  type Access,
  isRunning,
  markOf,
  type ProcessMark,
  readState,
  removeState,
  writeState,
} from "./state.ts";

/** What the person who waits is told. */
export interface Progress {
  /** Something that is not a part was done: "databases migrated". */
  step(text: string): void;
  /** Something outside of the parts' own lives went wrong and is being mended. */
  warn(part: string, text: string): void;
  part(part: Part, note: string | undefined): void;
}

export interface Platform {
  readonly gatewayUrl: string;
  /** A page of the mails that would have been sent. */
  readonly mailboxUrl: string;
  readonly secrets: Secrets;
  /** Processes that are kept running. */
  readonly parts: number;
  /** Memory of all parts now, MiB; undefined where it cannot be told. */
  memoryMib(): number | undefined;
  stop(): Promise<void>;
}

const maxLogBytes = 16 * 1024 * 1024;

function rotate(logFile: string): string {
  if (existsSync(logFile) && statSync(logFile).size > maxLogBytes) renameSync(logFile, `${logFile}.1`);
  return logFile;
}

/**
 * Six processes share a laptop with everything else on it: a small nursery and a bound on the heap (MiB) keep the
 * platform at half the memory that Node would take after a busy hour. A server's heap is as Node sizes it.
 */
const heapFlags: Record<Heap, readonly string[]> = {
  laptop: ["--max-semi-space-size=4", "--max-old-space-size=384"],
  server: [],
};

async function choosePorts(options: UpOptions): Promise<Record<ServiceName, ServicePorts>> {
  const ports: Partial<Record<ServiceName, ServicePorts>> = {};
  for (const name of serviceNames) ports[name] = { main: await freePort(), admin: await freePort() };
  const chosen = ports as Record<ServiceName, ServicePorts>;
  if (options.port === 0) return chosen;
  if (!(await portIsFree(options.port))) {
    throw new Error(
      `port ${options.port} of 127.0.0.1 is in use by another program; choose one with --port N (0 takes a free one)`,
    );
  }
  return { ...chosen, gateway: { ...chosen.gateway, main: options.port } };
}

/** Ends what a launcher that was killed has left behind. */
export async function stopLeftovers(home: Home): Promise<number> {
  const state = readState(home);
  if (state === undefined || isRunning(state.launcher)) return 0;
  const left = state.parts.flatMap(({ name, process: mark }) =>
    mark !== undefined && isRunning(mark) ? [{ name, mark }] : [],
  );
  for (const force of [false, true]) {
    for (const { name, mark } of left) {
      if (!isRunning(mark)) continue;
      // Postgres takes SIGTERM as "when the last client has left", SIGINT as "now, in good order".
      const polite = name.startsWith("postgres") ? "SIGINT" : "SIGTERM";
      process.kill(mark.pid, force ? "SIGKILL" : polite);
    }
    const until = Date.now() + 15_000;
    while (left.some(({ mark }) => isRunning(mark)) && Date.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
  removeState(home);
  return left.length;
}

/**
 * Starts every part of the platform and keeps it running until `stop`. Rejects, with all that was started
 * stopped again, when a part cannot be started; the error names the part. An abort of the signal during the
 * start does the same.
 */
export async function startPlatform(
  home: Home,
  options: UpOptions,
  progress: Progress,
  log: Logger,
  signal: AbortSignal,
): Promise<Platform> {
  await stopLeftovers(home);
  const ports = await choosePorts(options);
  ensureRedisProgram((text) => progress.step(text));
  const secrets = openSecrets(home);
  const gatewayUrl = `http://127.0.0.1:${ports.gateway.main}`;
  const parts: { readonly part: Part; readonly wave: StopWave }[] = [];
  let access: Access = {
    databases: { user: "", follow: "", post: "" },
    redisUrl: "",
    eventLogUrl: "",
    feedAddress: `127.0.0.1:${ports.feed.main}`,
    // What proves a caller to be the gateway or a service; made at each start.
    peerSecret: randomBytes(32).toString("hex"),
  };
  const self = markOf(process.pid);
  if (self === undefined) throw new Error("this process cannot see itself");
  let ready = false;
  let standsOn: Ground | undefined;
  const stopping = new AbortController();

  /** A promotion changes which server is a primary. */
  function accessNow(): Access {
    if (standsOn === undefined) return access;
    const { databases, connectUrl } = standsOn;
    return {
      ...access,
      databases: databases.primary,
      ...(connectUrl === undefined ? {} : { connect: { url: connectUrl, readers: databases.reader } }),
    };
  }
  function record(): void {
    writeState(home, {
      launcher: self as ProcessMark,
      profile: options.profile,
      gatewayUrl,
      ready,
      access: accessNow(),
      parts: parts.map(({ part }) => part.record()),
    });
  }
  const site: Site = {
    home,
    options,
    secrets,
    log,
    signal: AbortSignal.any([signal, stopping.signal]),
    step: (text) => progress.step(text),
    warn: (part, text) => progress.warn(part, text),
    logFile: (name) => rotate(home.logFile(name)),
    add(spec, wave) {
      stopping.signal.throwIfAborted();
      const part = createPart(spec, (changed, note) => {
        record();
        progress.part(changed, note);
      });
      parts.push({ part, wave });
      return part;
    },
  };

  async function stop(): Promise<void> {
    ready = false;
    stopping.abort();
    for (const wave of stopWaves) {
      await Promise.all(parts.filter((one) => one.wave === wave).map(({ part }) => part.stop()));
    }
    removeState(home);
  }

  // A start is ended at once; a platform that runs is stopped in waves.
  const endStart = (): void => {
    stopping.abort();
    for (const { part } of parts) void part.stop();
  };
  signal.addEventListener("abort", endStart, { once: true });

  try {
    signal.throwIfAborted();
    const ground = await (options.profile === "full" ? startFull(site) : startEmbedded(site));
    signal.throwIfAborted();
    const { cacheUrl, eventLogUrl } = ground;
    standsOn = ground;
    access = {
      ...access,
      redisUrl: cacheUrl,
      eventLogUrl,
    };
    const inputs = { options, secrets, peerSecret: access.peerSecret, ports, ...ground };
    const services = ground.services.map((name) => addService(site, name, inputs));
    await Promise.all(services.map((part) => part.start()));
    signal.throwIfAborted();
    signal.removeEventListener("abort", endStart);
    ready = true;
    record();
    return {
      gatewayUrl,
      mailboxUrl: `http://127.0.0.1:${ports.user.admin}/mailbox`,
      secrets,
      parts: parts.length,
      memoryMib: () => memoryOfTreesMib(parts.flatMap(({ part }) => part.record().process?.pid ?? [])),
      stop,
    };
  } catch (error) {
    endStart();
    await stop();
    throw error;
  }
}

function addService(site: Site, name: ServiceName, inputs: ServiceInputs): Part {
  const spec = describeService(name, inputs);
  const logFile = site.logFile(name);
  return site.add(
    {
      name,
      url: spec.url,
      readyUrl: spec.readyUrl,
      logFile,
      start: () =>
        startProcess({
          command: process.execPath,
          args: [
            ...heapFlags[inputs.options.heap],
            "--conditions=source",
            "--disable-warning=ExperimentalWarning",
            spec.entry,
          ],
          env: {
            PATH: process.env["PATH"],
            NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"],
            ...spec.env,
          },
          logFile,
          tether: true,
        }),
    },
    name === "gateway" ? "gateway" : "services",
  );
}
