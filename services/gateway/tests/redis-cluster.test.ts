import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startRedisCluster, type RedisCluster } from "@chirrup/servers";
import { waitFor } from "@chirrup/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { redisFailuresOf, startGateway, startParts, type Parts, type TestGateway } from "./gateway.ts";

const limit = 50;
const gateways = 5;
const users = Array.from({ length: 24 }, (_, i) => BigInt(i + 1));

describe("with buckets in a Redis Cluster", () => {
  let folder: string;
  let cluster: RedisCluster;
  let parts: Parts & AsyncDisposable;
  let gateway: TestGateway;
  /** What each user was let in. */
  const passed = new Map<bigint, number>(users.map((user) => [user, 0]));

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "gateway-cluster-"));
    cluster = await startRedisCluster({ dataDir: join(folder, "data"), logDir: folder });
    parts = await startParts();
    gateway = await startGateway(
      {
        rates: `rules: [{ name: user, key: [user], limit: ${limit}, window: 1h }]`,
        env: {
          REDIS_URL: `redis-cluster://${cluster.addresses.join(",")}`,
          REDIS_DEADLINE_MS: "2000",
          GATEWAYS: String(gateways),
        },
      },
      parts,
    );
  });
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    await parts[Symbol.asyncDispose]();
    await cluster.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Every user asks `times` times; resolves to the other statuses than 200 and 429. */
  async function everybodyAsks(times: number): Promise<number[]> {
    const statuses = await Promise.all(
      users.map(async (user) => {
        const token = await parts.issuer.token(user, user);
        const answers = await Promise.all(
          Array.from({ length: times }, () => gateway.ask("GET", "/api/v1/me", { token })),
        );
        const let200 = answers.filter(({ status }) => status === 200).length;
        passed.set(user, (passed.get(user) ?? 0) + let200);
        return answers.map(({ status }) => status);
      }),
    );
    return statuses.flat().filter((status) => status !== 200 && status !== 429);
  }

  it("counts each user exactly, whichever node has the bucket", async () => {
    expect(await everybodyAsks(20)).toEqual([]);
    expect(new Set(passed.values())).toEqual(new Set([20]));
  });

  it("lets in no more than its own share on top when a master dies, and counts on with its replica", async () => {
    const failures = (): Promise<number> => redisFailuresOf(gateway);
    process.kill(cluster.nodes[0]?.pid ?? 0, "SIGKILL");
    await cluster.nodes[0]?.exited;
    expect(await everybodyAsks(15)).toEqual([]);
    expect(await failures()).toBeGreaterThan(0);

    await waitFor(
      async () => {
        const before = await failures();
        expect(await everybodyAsks(1)).toEqual([]);
        return (await failures()) === before;
      },
      { what: "the replica to be asked", timeoutMs: 30_000 },
    );
    expect(await everybodyAsks(limit)).toEqual([]);
    const counts = [...passed.values()];
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(limit);
    expect(Math.max(...counts)).toBeLessThanOrEqual(limit + limit / gateways);
    // Those of the two masters that live have been counted without a gap: users 1 to 24 are spread over all three.
    expect(counts.filter((count) => count === limit).length).toBeGreaterThan(users.length / 2);
  });
});
