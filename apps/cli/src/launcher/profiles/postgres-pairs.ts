import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  freePort,
  type PostgresServer,
  startPostgres,
  startPostgresReplica,
  superuserUrl,
} from "@chirrup/servers";
import pg from "pg";
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
import { pairOf, readPrimary } from "../roles.ts";
import type { Site, StopWave } from "./ground.ts";

const replicaRole = "replica";
/** Debezium streams and no more: it needs no right to any table. */
export const debeziumRole = "debezium";
/** What a replica is called at its primary: its slot, and its connection. */
export const replicaName = "replica_1";
const promotedWithinMs = 90_000;

/** Six servers share the machine; what a laptop reads fits into little. */
const settings = {
  shared_buffers: "24MB",
  max_connections: "100",
  max_wal_size: "256MB",
  // Kafka never gets what a promoted replica would not have. Of a replica nobody streams; it is there for its promotion.
  synchronized_standby_slots: replicaName,
};

interface Member extends DatabaseServer {
  readonly name: string;
  readonly part: Part;
}

interface Pair {
  readonly members: readonly [Member, Member];
  /** The one that is the primary now. */
  primary(): Member;
}

async function addPair(site: Site, service: DatabaseName): Promise<Pair> {
  const { home, secrets } = site;
  const superuserPassword = secrets.postgresSuperuser;
  const urlOf = (port: number, database?: string): string => superuserUrl(port, superuserPassword, database);
  const [oneName, otherName] = pairOf(service);
  const ports = { [oneName]: await freePort(), [otherName]: await freePort() };

  function addMember(name: string, otherThan: string, wave: StopWave): Member {
    const [port = 0, primaryPort = 0] = [ports[name], ports[otherThan]];
    const logFile = site.logFile(name);
    const dataDir = home.dataDir(name);

    async function start(signal: AbortSignal): Promise<PostgresServer> {
      const own = { dataDir, port, logFile, superuserPassword, signal, settings };
      if (readPrimary(home, service) === name) return startPostgres(own);
      // What was a primary and has been replaced may have what nobody else has: it begins anew.
      if (existsSync(dataDir) && !existsSync(join(dataDir, "standby.signal"))) {
        await untilPromoted(urlOf(primaryPort), signal);
        rmSync(dataDir, { recursive: true });
      }
      return startPostgresReplica({
        ...own,
        primary: {
          port: primaryPort,
          dataDir: home.dataDir(otherThan),
          superuserUrl: urlOf(primaryPort),
        },
        replication: { role: replicaRole, password: secrets.postgresServices },
        slot: replicaName,
      });
    }
    const part = site.add({ name, url: `postgres://127.0.0.1:${port}`, logFile, start }, wave);
    return { name, part, port, superuserUrl: (database) => urlOf(port, database) };
  }

  const members = [
    addMember(oneName, otherName, "primaries"),
    addMember(otherName, oneName, "stores"),
  ] as const;
  return {
    members,
    primary() {
      const [one, other] = members;
      return readPrimary(home, service) === one.name ? one : other;
    },
  };
}

/** Waits until a server takes writes; rejects when it does not come to that. */
async function untilPromoted(url: string, signal: AbortSignal): Promise<void> {
  const until = Date.now() + promotedWithinMs;
  for (;;) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
    client.on("error", () => undefined);
    try {
      await client.connect();
      const { rows } = await client.query<{ standby: boolean }>("SELECT pg_is_in_recovery() AS standby");
      if (rows[0]?.standby === false) return;
    } catch (error) {
      if (Date.now() > until) throw error;
    } finally {
      await client.end().catch(() => undefined);
    }
    if (Date.now() > until) throw new Error("the other server of the pair has not been promoted");
    await sleep(100, undefined, { signal });
  }
}

/** A server and its streaming replica for each service, migrated, with the slots that Debezium reads. */
export async function startPostgresPairs(site: Site): Promise<DatabaseUrls> {
  const password = site.secrets.postgresServices;
  const pairs = await perDatabase((name) => addPair(site, name));
  const servers = await perDatabase(async (name) => {
    const primary = pairs[name].primary();
    await primary.part.start();
    await ensureReplicaRole(primary, replicaRole, password);
    await Promise.all(
      pairs[name].members.filter((member) => member !== primary).map(({ part }) => part.start()),
    );
    return primary;
  });
  site.signal.throwIfAborted();
  const urls = await prepareDatabases({
    servers,
    password,
    reader: { role: debeziumRole, replays: false, failover: true },
    log: site.log,
  });
  site.step("databases are migrated");
  const both = await perDatabase((name) => {
    const [one, other] = pairs[name].members;
    return databaseUrl(`${one.port},127.0.0.1:${other.port}`, name, password, name);
  });
  const now = (role?: string): DatabaseUrls["primary"] => {
    const urlOf = (name: DatabaseName): string =>
      databaseUrl(pairs[name].primary().port, role ?? name, password, name);
    return { user: urlOf("user"), follow: urlOf("follow"), post: urlOf("post") };
  };
  return {
    ...urls,
    service: both,
    replica: both,
    get primary() {
      return now();
    },
    get reader() {
      return now(debeziumRole);
    },
  };
}
