import { freePort, type PostgresServer, startPostgres, startPostgresReplica } from "@chirrup/servers";
import {
  type DatabaseName,
  type DatabaseServer,
  type DatabaseUrls,
  databaseUrl,
  ensureReplicaRole,
  perDatabase,
  prepareDatabases,
} from "../databases.ts";
import type { Part } from "../part.ts";
import type { Site } from "./ground.ts";

const replicaRole = "replica";
/** Debezium streams and no more: it needs no right to any table. */
export const debeziumRole = "debezium";
const slot = "replica_1";

/** Six servers share the machine; what a laptop reads fits into little. */
const smallServer = { shared_buffers: "24MB", max_connections: "100", max_wal_size: "256MB" };

interface Pair {
  readonly primary: Part;
  readonly replica: Part;
  readonly replicaPort: number;
  server(): DatabaseServer;
}

async function addPair(site: Site, name: DatabaseName): Promise<Pair> {
  const { home, secrets } = site;
  const [primaryName, replicaName] = [`postgres-${name}`, `postgres-${name}-replica`];
  const [primaryPort, replicaPort] = [await freePort(), await freePort()];
  const superuserPassword = secrets.postgresSuperuser;
  const primaryLog = site.logFile(primaryName);
  let running: PostgresServer | undefined;
  function server(): PostgresServer {
    if (running === undefined) throw new Error(`${primaryName}: it is not there`);
    return running;
  }
  const primary = site.add(
    {
      name: primaryName,
      url: `postgres://127.0.0.1:${primaryPort}`,
      logFile: primaryLog,
      start: async (signal) => {
        running = await startPostgres({
          dataDir: home.dataDir(primaryName),
          port: primaryPort,
          logFile: primaryLog,
          superuserPassword,
          signal,
          settings: {
            ...smallServer,
            // Kafka never gets what a promoted replica would not have.
            synchronized_standby_slots: slot,
          },
        });
        return running;
      },
    },
    "primaries",
  );
  const replicaLog = site.logFile(replicaName);
  const replica = site.add(
    {
      name: replicaName,
      url: `postgres://127.0.0.1:${replicaPort}`,
      logFile: replicaLog,
      start: (signal) =>
        startPostgresReplica({
          primary: {
            port: primaryPort,
            dataDir: home.dataDir(primaryName),
            superuserUrl: server().superuserUrl(),
          },
          replication: { role: replicaRole, password: secrets.postgresServices },
          slot,
          dataDir: home.dataDir(replicaName),
          port: replicaPort,
          logFile: replicaLog,
          superuserPassword,
          signal,
          settings: smallServer,
        }),
    },
    "stores",
  );
  return { primary, replica, replicaPort, server };
}

/** A server and its streaming replica for each service, migrated, with the slots that Debezium reads. */
export async function startPostgresPairs(site: Site): Promise<DatabaseUrls> {
  const password = site.secrets.postgresServices;
  const pairs = await perDatabase((name) => addPair(site, name));
  const servers = await perDatabase(async (name) => {
    await pairs[name].primary.start();
    const server = pairs[name].server();
    await ensureReplicaRole(server, replicaRole, password);
    await pairs[name].replica.start();
    return server;
  });
  site.signal.throwIfAborted();
  const urls = await prepareDatabases({
    servers,
    password,
    reader: { role: debeziumRole, replays: false, failover: true },
    log: site.log,
  });
  site.step("databases are migrated");
  return {
    ...urls,
    replica: await perDatabase((name) => databaseUrl(pairs[name].replicaPort, name, password, name)),
  };
}
