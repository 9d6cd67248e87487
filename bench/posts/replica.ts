import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Logger, migrate, openDatabase, openPostgres, platformMigrations } from "@chirrup/platform";
import { freePort, type PostgresServer, startPostgres, startPostgresReplica } from "@chirrup/servers";
import { type GetMany, readPosts, readPages, writePosts } from "./get-many.ts";

const posts = 5_000;
const pageSize = 20;
const consistencySecret = "a secret of the benches, long enough for one";

/** Per post of a page of 20, from one server in one state. */
export interface ReadCost {
  /** CPU of the process that reads, and of the server's. */
  readonly cpuUs: number;
  readonly serverCpuUs: number;
  /** Blocks that were in the server's buffers, 0 to 1. */
  readonly hits: number;
}

/** One write, with or without asking for its token. */
export interface WriteCost {
  readonly cpuUs: number;
  readonly ms: number;
}

/** A primary and its replica with the tables of the post service and 5,000 posts. */
export interface PairStage extends AsyncDisposable {
  /** Reads every post once in pages; cold: right after the server has started. */
  readCold(from: "primary" | "replica"): Promise<ReadCost>;
  readWarm(from: "primary" | "replica", pages: number): Promise<ReadCost>;
  /** Pages of the replica by a call that carries a token, and by one that does not: CPU of the process for each post. */
  readWith(token: boolean, pages: number): Promise<number>;
  write(token: boolean, atOnce: number, count: number): Promise<WriteCost>;
}

export async function setPair(log: Logger): Promise<PairStage> {
  const folder = mkdtempSync(join(tmpdir(), "chirrup-bench-pair-"));
  const own = (name: string, port: number) => ({
    dataDir: join(folder, name),
    port,
    logFile: join(folder, `${name}.log`),
    superuserPassword: "bench",
  });
  const primaryOptions = own("primary", await freePort());
  const replicaOptions = own("replica", await freePort());
  let primary = await startPostgres(primaryOptions);
  const url = primary.superuserUrl();
  await migrate({
    url,
    folders: [platformMigrations, new URL("../../services/post/migrations/", import.meta.url)],
    log,
  });
  const setup = openPostgres({ url, applicationName: "bench-setup", log });
  const ids = await writePosts({ postgres: setup }, posts);
  await setup.query({ name: "role", text: "create role replica login replication password 'bench'" });
  await setup.query({ name: "checkpoint", text: "checkpoint" });
  await setup.close();
  const startReplica = (): Promise<PostgresServer> =>
    startPostgresReplica({
      ...replicaOptions,
      primary: { port: primary.port, dataDir: primaryOptions.dataDir, superuserUrl: primary.superuserUrl() },
      replication: { role: "replica", password: "bench" },
      slot: "replica_1",
    });
  let replica = await startReplica();
  const serverOf = (name: "primary" | "replica"): PostgresServer => (name === "primary" ? primary : replica);

  async function cost(from: "primary" | "replica", pages: number | "each once"): Promise<ReadCost> {
    const server = serverOf(from);
    const before = { cpu: serverCpuUs(server.pid), blocks: await blocksOf(server, log) };
    const postgres = openPostgres({ url: server.superuserUrl(), applicationName: "bench", log });
    const way: GetMany = { read: (page) => readPosts(postgres, page), close: () => undefined };
    const cpuUs =
      pages === "each once" ? await readEachOnce(way, ids) : (await readPages(way, ids, pages)).cpuUsPerPost;
    // A connection hands in its statistics when it ends.
    await postgres.close();
    const read = pages === "each once" ? ids.length : pages * pageSize;
    const serverUs = serverCpuUs(server.pid) - before.cpu;
    const blocks = await blocksOf(server, log);
    const [hit, missed] = [blocks.hit - before.blocks.hit, blocks.read - before.blocks.read];
    return { cpuUs, serverCpuUs: serverUs / read, hits: hit / (hit + missed) };
  }

  async function withDatabase<T>(
    work: (database: ReturnType<typeof openDatabase>) => Promise<T>,
  ): Promise<T> {
    const database = openDatabase({
      service: "bench",
      url: primary.superuserUrl(),
      replicaUrl: replica.superuserUrl(),
      consistencySecret,
      maxLagMs: 10_000,
      waitMs: 1_000,
      log,
    });
    try {
      const isStandby = (): Promise<{ standby: boolean }[]> =>
        database.reads
          .of({ consistency: [], readsPrimary: false })
          .query({ name: "standby", text: "select pg_is_in_recovery() as standby" });
      while ((await isStandby())[0]?.standby !== true) await sleep(20);
      return await work(database);
    } finally {
      await database.close();
    }
  }

  return {
    async readCold(from) {
      if (from === "primary") {
        await primary.stop();
        primary = await startPostgres(primaryOptions);
      } else {
        await replica.stop();
        replica = await startReplica();
      }
      return cost(from, "each once");
    },
    readWarm: (from, pages) => cost(from, pages),
    readWith: (token, pages) =>
      withDatabase(async ({ reads, tokens }) => {
        const consistency = token ? [(await tokens?.afterWrite()) ?? ""] : [];
        const call = { consistency, readsPrimary: false };
        const way: GetMany = { read: (page) => readPosts(reads.of(call), page), close: () => undefined };
        return (await readPages(way, ids, pages)).cpuUsPerPost;
      }),
    write: (token, atOnce, count) =>
      withDatabase(async ({ primary: postgres, tokens }) => {
        let next = 0;
        const [cpu, startMs] = [process.cpuUsage(), performance.now()];
        await Promise.all(
          Array.from({ length: atOnce }, async () => {
            for (let turn = next++; turn < count; turn = next++) {
              const postId = ids[turn % ids.length] ?? 0n;
              await postgres.query({
                name: "bench-like",
                text: "insert into likes (post_id, user_id, id) values ($1, $2, $2) on conflict do nothing",
                values: [postId, BigInt(Math.floor(Math.random() * 2 ** 50))],
              });
              if (token) await tokens?.afterWrite();
            }
          }),
        );
        const ms = ((performance.now() - startMs) * atOnce) / count;
        const { user, system } = process.cpuUsage(cpu);
        return { cpuUs: (user + system) / count, ms };
      }),
    async [Symbol.asyncDispose]() {
      await replica.stop();
      await primary.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Every post in pages that do not overlap, in an order at random, 8 at a time; CPU of this process for each post. */
async function readEachOnce({ read }: GetMany, ids: readonly bigint[]): Promise<number> {
  const starts = Array.from({ length: ids.length / pageSize }, (_, page) => page * pageSize);
  const order = starts.map((at) => ({ at, rank: Math.random() })).toSorted((a, b) => a.rank - b.rank);
  const before = process.cpuUsage();
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (let page = order.pop(); page !== undefined; page = order.pop()) {
        await read(ids.slice(page.at, page.at + pageSize));
      }
    }),
  );
  const { user, system } = process.cpuUsage(before);
  return (user + system) / ids.length;
}

async function blocksOf(server: PostgresServer, log: Logger): Promise<{ hit: number; read: number }> {
  const postgres = openPostgres({ url: server.superuserUrl(), applicationName: "bench-blocks", log });
  try {
    const [row] = await postgres.query<{ hit: bigint; read: bigint }>({
      name: "blocks",
      text: "select sum(heap_blks_hit + idx_blks_hit)::bigint as hit, sum(heap_blks_read + idx_blks_read)::bigint as read from pg_statio_user_tables",
    });
    return { hit: Number(row?.hit ?? 0), read: Number(row?.read ?? 0) };
  } finally {
    await postgres.close();
  }
}

/** utime, stime and those of children that have ended, of a server and its processes; 0 where there is no procfs. */
function serverCpuUs(pid: number): number {
  let ticks = 0;
  for (const entry of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, "utf8");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (Number(entry) === pid) ticks += Number(fields[13]) + Number(fields[14]);
      if (Number(entry) === pid || Number(fields[1]) === pid)
        ticks += Number(fields[11]) + Number(fields[12]);
    } catch {
      // It ended meanwhile.
    }
  }
  return ticks * 10_000;
}
