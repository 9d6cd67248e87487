import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, startRedis, type RedisServer } from "@chirrup/servers";
import { waitFor } from "@chirrup/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { redisFailuresOf, startGateway, startParts, type Parts, type TestGateway } from "./gateway.ts";
import { createHttpClient } from "./http-client.ts";

const rates = (fail: string): string =>
  `rules: [{ name: user, key: [user], limit: 50, window: 1h, fail: ${fail} }]`;

describe("while Redis does not answer", () => {
  let folder: string;
  let port: number;
  let redis: RedisServer;
  let parts: Parts & AsyncDisposable;
  let gateway: TestGateway | undefined;

  const startServer = (): Promise<RedisServer> =>
    startRedis({ dataDir: join(folder, "data"), port, logFile: join(folder, "redis.log") });

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "gateway-redis-"));
    port = await freePort();
    redis = await startServer();
    parts = await startParts();
  });
  afterEach(async () => {
    await gateway?.[Symbol.asyncDispose]();
    await parts[Symbol.asyncDispose]();
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const startWith = async (fail: string, env: Record<string, string> = {}): Promise<TestGateway> => {
    gateway = await startGateway({ rates: rates(fail), env: { REDIS_URL: redis.url, ...env } }, parts);
    return gateway;
  };

  const burst = async (started: TestGateway, n: number): Promise<number[]> => {
    const token = await parts.issuer.token();
    return Promise.all(
      Array.from({ length: n }, async () => (await started.ask("GET", "/api/v1/me", { token })).status),
    );
  };
  const passed = (statuses: readonly number[]): number => statuses.filter((status) => status === 200).length;

  it("counts with this gateway's share", async () => {
    const started = await startWith("local", { GATEWAYS: "5" });
    await redis.stop();
    await waitFor(async () => passed(await burst(started, 1)) >= 0);
    expect(passed(await burst(started, 60))).toBeLessThanOrEqual(10);
    expect(new Set(await burst(started, 5))).toEqual(new Set([429]));
  });

  it("lets in whom a rule lets in, and nobody by a rule that fails closed", async () => {
    const lax = await startWith("open");
    await redis.stop();
    expect(new Set(await burst(lax, 80))).toEqual(new Set([200]));
    await lax[Symbol.asyncDispose]();
    gateway = undefined;

    redis = await startServer();
    const strict = await startWith("closed");
    expect(passed(await burst(strict, 5))).toBe(5);
    await redis.stop();
    const answer = await strict.ask("GET", "/api/v1/me", { token: await parts.issuer.token() });
    expect([answer.status, answer.headers["retry-after"], answer.json().code]).toEqual([503, "1", 14]);
  });

  it("goes on under load when it is killed, and counts exactly again when it is back", async () => {
    const started = await startWith("open", { REDIS_DEADLINE_MS: "2000" });
    const statuses: number[] = [];
    const over = new AbortController();
    const clients = Array.from({ length: 4 }, async (_, i) => {
      const ask = createHttpClient(started.port);
      const token = await parts.issuer.token(BigInt(1000 + i), BigInt(1000 + i));
      while (!over.signal.aborted) statuses.push((await ask("GET", "/api/v1/me", { token })).status);
      ask.close();
    });
    await waitFor(() => statuses.length > 100);
    process.kill(redis.pid, "SIGKILL");
    await redis.exited;
    const before = statuses.length;
    await waitFor(() => statuses.length > before + 300);
    redis = await startServer();
    await waitFor(async () => {
      const failures = await redisFailuresOf(started);
      await new Promise((resolve) => setTimeout(resolve, 200));
      return (await redisFailuresOf(started)) === failures;
    });
    over.abort();
    await Promise.all(clients);
    expect(statuses.filter((status) => status !== 200 && status !== 429)).toEqual([]);

    const token = await parts.issuer.token(5000n, 5000n);
    const after = await Promise.all(
      Array.from({ length: 80 }, async () => (await started.ask("GET", "/api/v1/me", { token })).status),
    );
    expect(passed(after)).toBe(50);
  });

  it("does not wait for one that hangs", async () => {
    const started = await startWith("open", { REDIS_DEADLINE_MS: "200" });
    await burst(started, 5);
    process.kill(redis.pid, "SIGSTOP");
    try {
      // Each for itself would wait 200 ms: ten seconds in all.
      const startedMs = performance.now();
      const token = await parts.issuer.token();
      for (let i = 0; i < 50; i += 1)
        expect((await started.ask("GET", "/api/v1/me", { token })).status).toBe(200);
      expect(performance.now() - startedMs).toBeLessThan(5_000);
    } finally {
      process.kill(redis.pid, "SIGCONT");
    }
  });
});
