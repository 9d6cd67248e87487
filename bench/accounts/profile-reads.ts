import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogger, migrate, openPostgres, openRedis, platformMigrations } from "@chirrup/platform";
import { freePort, startPostgres, startRedis } from "@chirrup/servers";
import { median } from "../report.ts";

/** A way to read the profiles of a page of 20 authors. */
export const ways = ["postgres", "redis-mget", "in-process"] as const;
export type Way = (typeof ways)[number];

export interface ProfileCost {
  /** CPU of the reading process for each profile, in microseconds. */
  readonly readerUs: number;
  /** CPU of the server that it asks, for each profile, in microseconds. */
  readonly serverUs: number;
}

interface Profile {
  readonly id: bigint;
  readonly username: string;
  readonly displayName: string;
  readonly bio: string;
}

const pageSize = 20;
const profiles = 5_000;
const first = 1_000_000n;

/** What each way costs when all that it is asked for is there, in turns on servers of their own. */
export async function measureProfileReads(
  rounds: number,
  pages: number,
): Promise<Readonly<Record<Way, ProfileCost>>> {
  const log = createLogger({ service: "bench", level: "error", format: "json" });
  const folder = mkdtempSync(join(tmpdir(), "chirrup-profiles-"));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const server = await startPostgres({
    dataDir: join(folder, "postgres"),
    port: await freePort(),
    logFile: join(folder, "postgres.log"),
    superuserPassword: "bench",
  });
  stack.defer(async () => void (await server.stop()));
  const redisServer = await startRedis({
    dataDir: join(folder, "redis"),
    port: await freePort(),
    logFile: join(folder, "redis.log"),
  });
  stack.defer(async () => void (await redisServer.stop()));
  const url = server.superuserUrl();
  const migrations = new URL("../../services/user/migrations/", import.meta.url);
  await migrate({ url, folders: [platformMigrations, migrations], log });
  const postgres = openPostgres({ url, applicationName: "bench", maxConnections: 8, log });
  stack.defer(() => postgres.close());
  const redis = openRedis({ url: redisServer.url, log, name: "bench" });
  stack.defer(() => redis.disconnect());

  await postgres.query({
    name: "bench-accounts",
    text: `INSERT INTO accounts (id, username, username_skeleton, email, display_name, bio)
           SELECT $1::bigint + n, 'user_' || n, 'u' || lpad(n::text, 6, '0'), n || '@example.com', 'A name of ' || n,
             repeat('A line about oneself. ', (n % 6)::int) FROM generate_series(0, $2::bigint - 1) n`,
    values: [first, profiles],
  });
  await postgres.query({ name: "bench-analyze", text: "ANALYZE" });

  const fromPostgres = (ids: readonly bigint[]): Promise<Profile[]> =>
    postgres.query<Profile>({
      name: "bench-profiles",
      text: `SELECT id, username, display_name AS "displayName", bio FROM accounts
             WHERE id = ANY ($1::bigint[]) AND deleted_at IS NULL`,
      values: [ids],
    });
  const memory = new Map<bigint, Profile>();
  const all = Array.from({ length: profiles }, (_, index) => first + BigInt(index));
  for (const profile of await fromPostgres(all)) {
    memory.set(profile.id, profile);
    const { id, username, displayName, bio } = profile;
    await redis.set(`profile:${id}`, JSON.stringify([username, displayName, bio]));
  }
  const read: Readonly<Record<Way, (ids: readonly bigint[]) => Promise<Profile[]> | Profile[]>> = {
    postgres: fromPostgres,
    async "redis-mget"(ids) {
      const entries = await redis.mget(ids.map((id) => `profile:${id}`));
      return ids.map((id, index) => {
        const [username, displayName, bio] = JSON.parse(entries[index] ?? "[]") as [string, string, string];
        return { id, username, displayName, bio };
      });
    },
    "in-process": (ids) => ids.map((id) => memory.get(id)).filter((profile) => profile !== undefined),
  };

  const serverUs = async (way: Way): Promise<number> => {
    if (way === "in-process") return 0;
    if (way === "redis-mget") return cpuUs(redisServer.pid);
    const backends = await postgres.query<{ pid: number }>({
      name: "bench-backends",
      text: "SELECT pid FROM pg_stat_activity WHERE application_name = 'bench'",
      values: [],
    });
    return backends.map(({ pid }) => cpuUs(pid)).reduce((sum, us) => sum + us, 0);
  };

  async function run(way: Way): Promise<ProfileCost> {
    let next = 0;
    const before = await serverUs(way);
    const cpuBefore = process.cpuUsage();
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        for (; next < pages; next++) {
          const from = Math.floor(Math.random() * (profiles - pageSize));
          const found = await read[way](all.slice(from, from + pageSize));
          if (found.length !== pageSize) throw new Error(`${found.length} of ${pageSize} profiles`);
        }
      }),
    );
    const { user, system } = process.cpuUsage(cpuBefore);
    const each = pages * pageSize;
    return { readerUs: (user + system) / each, serverUs: ((await serverUs(way)) - before) / each };
  }

  const costs: Record<Way, ProfileCost[]> = { postgres: [], "redis-mget": [], "in-process": [] };
  // The first round only warms up.
  for (let round = 0; round <= rounds; round++) {
    for (const way of ways) {
      const cost = await run(way);
      if (round > 0) costs[way].push(cost);
    }
  }
  const middle = (way: Way): ProfileCost => ({
    readerUs: median(costs[way].map((cost) => cost.readerUs)),
    serverUs: median(costs[way].map((cost) => cost.serverUs)),
  });
  return {
    postgres: middle("postgres"),
    "redis-mget": middle("redis-mget"),
    "in-process": middle("in-process"),
  };
}

/** User and system time of a process (proc(5)), in microseconds, in steps of 10,000. */
function cpuUs(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}
