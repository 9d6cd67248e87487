import { randomBytes } from "node:crypto";
import { existsSync, renameSync, statSync } from "node:fs";
import {
  freePort,
  portIsFree,
  startPostgres,
  startProcess,
  startRedis,
  type PostgresServer,
} from "@chirrup/servers";
import type { Logger } from "@chirrup/platform";
import { prepareDatabases } from "./databases.ts";
import type { UpOptions } from "./options.ts";
import { createPart, type Part, type PartSpec } from "./part.ts";
import type { Home } from "./paths.ts";
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
  part(part: Part, note: string | undefined): void;
}

export interface Platform {
  readonly gatewayUrl: string;
  readonly secrets: Secrets;
  stop(): Promise<void>;
}

const maxLogBytes = 16 * 1024 * 1024;

function rotate(logFile: string): string {
  if (existsSync(logFile) && statSync(logFile).size > maxLogBytes) renameSync(logFile, `${logFile}.1`);
  return logFile;
}

/**
 * Six processes share a laptop with everything else on it: a small nursery and a bound on the heap keep the
 * platform at half the memory that Node would take after a busy hour (MiB).
 */
const laptopHeap = ["--max-semi-space-size=4", "--max-old-space-size=384"];

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
      const polite = name === "postgres" ? "SIGINT" : "SIGTERM";
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
  const parts: Part[] = [];
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

  function record(): void {
    writeState(home, {
      launcher: self as ProcessMark,
      profile: options.profile,
      gatewayUrl,
      ready,
      access,
      parts: parts.map((part) => part.record()),
    });
  }
  function add(spec: PartSpec): Part {
    const part = createPart(spec, (changed, note) => {
      record();
      progress.part(changed, note);
    });
    parts.push(part);
    return part;
  }

  async function stop(): Promise<void> {
    ready = false;
    // Services first, each a wave: nobody is left that calls one which has gone.
    const servers = parts.filter((part) => !(serviceNames as readonly string[]).includes(part.spec.name));
    const waves: Part[][] = serviceNames.map((name) => parts.filter((part) => part.spec.name === name));
    await Promise.all(waves[0]?.map((part) => part.stop()) ?? []);
    await Promise.all(
      waves
        .slice(1)
        .flat()
        .map((part) => part.stop()),
    );
    await Promise.all(servers.map((part) => part.stop()));
    removeState(home);
  }

  signal.addEventListener("abort", () => void Promise.all(parts.map((part) => part.stop())), { once: true });

  try {
    signal.throwIfAborted();
    let server: PostgresServer | undefined;
    const postgresPort = await freePort();
    const postgres = add({
      name: "postgres",
      url: `postgres://127.0.0.1:${postgresPort}`,
      logFile: rotate(home.logFile("postgres")),
      start: async () => {
        server = await startPostgres({
          dataDir: home.dataDir("postgres"),
          port: postgresPort,
          logFile: home.logFile("postgres"),
          superuserPassword: secrets.postgresSuperuser,
        });
        return server;
      },
    });
    const redisPart = async (name: string, settings: Record<string, string>): Promise<[Part, string]> => {
      const port = await freePort();
      const part = add({
        name,
        url: `redis://127.0.0.1:${port}`,
        logFile: rotate(home.logFile(name)),
        start: () =>
          startRedis({
            dataDir: home.dataDir(name),
            port,
            logFile: home.logFile(name),
            password: secrets.redis,
            settings,
          }),
      });
      return [part, `redis://:${secrets.redis}@127.0.0.1:${port}`];
    };
    // The cache keeps nothing over a restart: what it holds is rebuilt, and an old copy would lack what
    // was pushed after it was written.
    const [cache, cacheUrl] = await redisPart("redis", {
      appendonly: "no",
      "maxmemory-policy": "noeviction",
    });
    const [eventRedis, eventLogUrl] = await redisPart("redis-events", {
      appendonly: "yes",
      appendfsync: "always",
      "maxmemory-policy": "noeviction",
    });
    await Promise.all([postgres.start(), cache.start(), eventRedis.start()]);
    if (server === undefined) throw new Error("postgres: it is not there");

    signal.throwIfAborted();
    const databases = await prepareDatabases(server, secrets.postgresServices, log);
    progress.step("databases are migrated");
    access = { ...access, databases: databases.service, redisUrl: cacheUrl, eventLogUrl };
    const inputs: ServiceInputs = {
      options,
      secrets,
      peerSecret: access.peerSecret,
      ports,
      databases,
      cacheUrl,
      eventLogUrl,
    };
    const services = serviceNames.map((name) => {
      const spec = describeService(name, inputs);
      const logFile = rotate(home.logFile(name));
      return add({
        name,
        url: spec.url,
        readyUrl: spec.readyUrl,
        logFile,
        start: () =>
          startProcess({
            command: process.execPath,
            args: [...laptopHeap, "--conditions=source", "--disable-warning=ExperimentalWarning", spec.entry],
            env: {
              PATH: process.env["PATH"],
              NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"],
              ...spec.env,
            },
            logFile,
            tether: true,
          }),
      });
    });
    await Promise.all(services.map((part) => part.start()));
    signal.throwIfAborted();
    ready = true;
    record();
    return { gatewayUrl, secrets, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
