import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createLogger, migrate, platformMigrations } from "@chirrup/platform";
import { freePort, startProcess, startRedis } from "@chirrup/servers";
import { perDatabase, type DatabaseName } from "../../apps/cli/src/launcher/databases.ts";
import {
  describeService,
  serviceNames,
  type ServiceInputs,
  type ServiceName,
  type ServicePorts,
  type ServiceSpec,
} from "../../apps/cli/src/launcher/services.ts";
import { startPostgresPair, type PostgresPair } from "../../packages/testkit/src/postgres-pair.ts";

/** The platform as the launcher runs it, but for the relay: a primary and one replica for all three databases. */
export interface Stage extends AsyncDisposable {
  readonly gatewayUrl: string;
  readonly pair: PostgresPair;
  /** How many statements of reads a service sent where, by the reason. */
  readsOf(service: DatabaseName): Promise<ReadonlyMap<string, number>>;
  /** Resolves when the reads of every service may go to the replica. */
  untilInRotation(): Promise<void>;
}

/** Starts two Postgres servers, a Redis and five processes. */
export async function setStage(): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), "chirrup-consistency-"));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const pair = stack.use(await startPostgresPair());
  const redis = await startRedis({
    dataDir: join(folder, "redis"),
    port: await freePort(),
    logFile: join(folder, "redis.log"),
  });
  stack.defer(async () => void (await redis.stop()));

  const specs = await describe(pair, redis.url);
  for (const { name, entry, env } of specs) {
    const running = await startProcess({
      command: process.execPath,
      args: ["--conditions=source", "--disable-warning=ExperimentalWarning", entry],
      env: {
        PATH: process.env["PATH"],
        NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"],
        ...env,
        // Nobody else waits for the processor here.
        ...(name === "user" ? { PASSWORD_HASH_NICENESS: "0" } : {}),
      },
      logFile: join(folder, `${name}.log`),
      tether: true,
    });
    stack.defer(async () => void (await running.stop()));
  }
  async function metricsOf(service: string): Promise<string> {
    const spec = specs.find(({ name }) => name === service);
    return (await fetch(spec?.readyUrl.replace("/readyz", "/metrics") ?? "")).text();
  }
  for (const { name, readyUrl } of specs) {
    await until(`${name} is ready`, async () => (await fetch(readyUrl)).ok);
  }

  const all = stack.move();
  return {
    gatewayUrl: specs.find(({ name }) => name === "gateway")?.url ?? "",
    pair,
    async readsOf(service) {
      const found = (await metricsOf(service)).matchAll(
        /^postgres_reads_total\{.*reason="(\w+)".*\} (\d+)/gm,
      );
      return new Map([...found].map(([, reason = "", count]) => [reason, Number(count)]));
    },
    async untilInRotation() {
      for (const service of ["user", "follow", "post"]) {
        await until(`${service} reads the replica`, async () =>
          /^postgres_replica_in_rotation\{.*\} 1$/m.test(await metricsOf(service)),
        );
      }
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 90_000;
  while (!(await holds().catch(() => false))) {
    if (Date.now() > end) throw new Error(`${what}: not within 90 s`);
    await sleep(50);
  }
}

/** Makes the databases, and says how the services over them are started. */
async function describe(pair: PostgresPair, redisUrl: string): Promise<ServiceSpec[]> {
  const log = createLogger({ service: "stage", level: "error", format: "pretty" });
  const urls = await perDatabase((name) => pair.createDatabase(name));
  await perDatabase((name) => {
    const own = new URL(`../../services/${name}/migrations/`, import.meta.url);
    return migrate({ url: urls[name].first, folders: [platformMigrations, own], log });
  });
  const both = { user: urls.user.both, follow: urls.follow.both, post: urls.post.both };
  const ports: Partial<Record<ServiceName, ServicePorts>> = {};
  for (const name of serviceNames) ports[name] = { main: await freePort(), admin: await freePort() };
  const secret = (): string => randomBytes(32).toString("hex");
  const inputs: ServiceInputs = {
    options: { profile: "full", heap: "laptop", port: 0, celebrityThreshold: undefined, brokers: 1 },
    secrets: {
      postgresSuperuser: "",
      postgresServices: "",
      redis: "",
      cursor: secret(),
      consistency: secret(),
      signingKey: secret(),
      refresh: secret(),
      demoPassword: "",
      kafkaClusterId: "",
    },
    peerSecret: secret(),
    ports: ports as Record<ServiceName, ServicePorts>,
    databases: { service: both, replica: both, primary: both, reader: { user: "", follow: "", post: "" } },
    cacheUrl: redisUrl,
    eventLogUrl: redisUrl,
  };
  return serviceNames.filter((name) => name !== "relay").map((name) => describeService(name, inputs));
}
