import { freePort, type PostgresServer, startPostgres } from "@chirrup/servers";
import { perDatabase, prepareDatabases } from "../databases.ts";
import { serviceNames } from "../services.ts";
import type { Ground, Site } from "./ground.ts";
import { addRedis, cacheSettings } from "./redis-part.ts";

/** One Postgres with three databases, one Redis for caches and timelines, one for the event log. */
export async function startEmbedded(site: Site): Promise<Ground> {
  const { home, secrets, log, signal } = site;
  const port = await freePort();
  const logFile = site.logFile("postgres");
  let server: PostgresServer | undefined;
  const postgres = site.add(
    {
      name: "postgres",
      url: `postgres://127.0.0.1:${port}`,
      logFile,
      start: async (ending) => {
        server = await startPostgres({
          dataDir: home.dataDir("postgres"),
          port,
          logFile,
          superuserPassword: secrets.postgresSuperuser,
          signal: ending,
        });
        return server;
      },
    },
    "primaries",
  );
  const cache = await addRedis(site, "redis", cacheSettings);
  const events = await addRedis(site, "redis-events", {
    appendonly: "yes",
    appendfsync: "always",
    "maxmemory-policy": "noeviction",
  });
  await Promise.all([postgres.start(), cache.part.start(), events.part.start()]);
  signal.throwIfAborted();
  const running = server;
  if (running === undefined) throw new Error("postgres: it is not there");
  const databases = await prepareDatabases({
    servers: await perDatabase(() => running),
    password: secrets.postgresServices,
    reader: { role: "relay", replays: true, failover: false },
    log,
  });
  site.step("databases are migrated");
  return { databases, cacheUrl: cache.url, eventLogUrl: events.url, services: serviceNames };
}
