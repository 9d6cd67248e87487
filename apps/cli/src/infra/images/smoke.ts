import { randomBytes } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { freePort, startPostgres, startProcess, startRedis } from "@chirrup/servers";
import { createApiClient } from "../../api/client.ts";
import { ensureRedisProgram } from "../../launcher/redis-program.ts";
import { run } from "../tools.ts";

const secret = (): string => randomBytes(24).toString("hex");
const readyWithinMs = 60_000;

/** The services in an order in which each finds those that it calls. */
const order = ["user", "follow", "post", "feed", "gateway"] as const;
type Service = (typeof order)[number];
const withDatabase: readonly Service[] = ["user", "follow", "post"];

export interface SmokeInputs {
  /** Where the images' /app folders are, by service. */
  readonly folders: Readonly<Record<string, string>>;
  /** The settings that the manifests of an environment give each service. */
  readonly settings: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** An empty folder for data and logs. */
  readonly work: string;
}

/**
 * Starts Postgres, Redis and, each from its image's files alone and with plain `node`, migrations and services;
 * then registers, posts and reads the feed through the gateway. Returns what went wrong.
 */
export async function smoke({ folders, settings, work }: SmokeInputs): Promise<string[]> {
  ensureRedisProgram((text) => process.stderr.write(`${text}\n`));
  const stops: (() => Promise<unknown>)[] = [];
  try {
    const postgres = await startPostgres({
      dataDir: join(work, "postgres"),
      port: await freePort(),
      logFile: join(work, "postgres.log"),
      superuserPassword: secret(),
    });
    stops.push(() => postgres.stop());
    const redis = await startRedis({
      dataDir: join(work, "redis"),
      port: await freePort(),
      logFile: join(work, "redis.log"),
    });
    stops.push(() => redis.stop());

    const ports = new Map<string, { main: number; admin: number }>();
    for (const service of order) ports.set(service, { main: await freePort(), admin: await freePort() });
    const keysPort = await freePort();
    const portsOf = (service: string): { main: number; admin: number } => {
      const found = ports.get(service);
      if (found === undefined) throw new Error(`no ports for ${service}`);
      return found;
    };
    const local = (port: number): string => `127.0.0.1:${port}`;
    // By the name that the certificate is for.
    const peer = (service: Service): string => `localhost:${portsOf(service).main}`;
    const certificates = join(work, "tls");
    selfSigned(certificates);
    const shared = {
      PEER_SECRET: secret(),
      CURSOR_SECRET: secret(),
      SIGNING_KEY_SECRET: secret(),
      REFRESH_SECRET: secret(),
    };
    const environmentOf = (service: Service): NodeJS.ProcessEnv => {
      const { main, admin } = portsOf(service);
      const gateway = service === "gateway";
      const files = join(folders[service] ?? "", "services", "gateway", "config");
      return {
        PATH: process.env["PATH"],
        ...settings[service],
        ...shared,
        HOST: "127.0.0.1",
        PEER_TLS_DIR: certificates,
        REDIS_URL: redis.url,
        EVENT_LOG_URL: redis.url,
        DATABASE_URL: postgres.superuserUrl(service),
        USER_SERVICE: peer("user"),
        FOLLOW_SERVICE: peer("follow"),
        POST_SERVICE: peer("post"),
        FEED_SERVICE: peer("feed"),
        JWKS_URL: `https://localhost:${keysPort}/.well-known/jwks.json`,
        DESCRIPTORS: join(folders[service] ?? "", "proto", "gen", "chirrup.binpb"),
        GATEWAY_CONFIG: join(files, "gateway.production.yaml"),
        RATE_RULES: join(files, "rates.production.yaml"),
        ...(gateway
          ? { HTTP_PORT: String(main), ADMIN_PORT: String(admin) }
          : { GRPC_PORT: String(main), HTTP_PORT: String(admin), KEYS_PORT: String(keysPort) }),
      };
    };

    for (const service of order) {
      const cwd = join(folders[service] ?? "", "services", service);
      if (withDatabase.includes(service)) {
        await createDatabase(postgres.superuserUrl(), service);
        const env = environmentOf(service) as Record<string, string>;
        const migrated = run(process.execPath, ["dist/migrate.js"], { cwd, env });
        if (!migrated.ok) return [`${service}: its migrations fail: ${migrated.output.slice(-600)}`];
      }
      const logFile = join(work, `${service}.log`);
      const started = await startProcess({
        command: process.execPath,
        args: ["dist/main.js"],
        cwd,
        env: environmentOf(service),
        logFile,
      });
      stops.push(() => started.stop());
    }
    for (const service of order) {
      const fault = await notReady(`http://${local(portsOf(service).admin)}/readyz`);
      if (fault === undefined) continue;
      const log = readFileSync(join(work, `${service}.log`), "utf8").slice(-600);
      return [`${service}: ${fault}\n${log}`];
    }
    return await useIt(`http://${local(portsOf("gateway").main)}`);
  } finally {
    for (const stop of stops.toReversed()) await stop();
  }
}

/** One certificate for all services, which is its own authority, where cert-manager puts a service's own. */
function selfSigned(folder: string): void {
  mkdirSync(folder);
  const [key, certificate] = [join(folder, "tls.key"), join(folder, "tls.crt")];
  const wanted =
    "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -subj /CN=localhost -addext subjectAltName=DNS:localhost";
  const args = ["req", "-x509", "-days", "1", "-noenc", "-keyout", key, "-out", certificate];
  const { ok, output } = run("openssl", [...args, ...wanted.split(" ")]);
  if (!ok) throw new Error(output);
  copyFileSync(certificate, join(folder, "ca.crt"));
}

async function useIt(gatewayUrl: string): Promise<string[]> {
  const api = createApiClient(gatewayUrl, 2);
  try {
    const name = `smoke${randomBytes(4).toString("hex")}`;
    const body = { username: name, email: `${name}@example.org`, password: secret() };
    const { accessToken: token } = await api.call<{ accessToken: string }>({
      method: "POST",
      path: "/api/v1/register",
      body,
    });
    const content = "From an image.";
    await api.call({ method: "POST", path: "/api/v1/posts", body: { content }, token });
    const { items } = await api.call<{ items: { post: { content: string } }[] }>({
      method: "GET",
      path: "/api/v1/feed",
      token,
    });
    return items[0]?.post.content === content ? [] : ["the feed does not show the post that was written"];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  } finally {
    api.close();
  }
}

async function createDatabase(url: string, name: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)}`);
  } finally {
    await client.end();
  }
}

async function notReady(url: string): Promise<string | undefined> {
  const deadline = performance.now() + readyWithinMs;
  for (let said = "does not answer"; ;) {
    try {
      const answer = await fetch(url);
      if (answer.ok) return undefined;
      said = `is not ready: ${await answer.text()}`;
    } catch {
      // Not up yet.
    }
    if (performance.now() > deadline) return said;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
