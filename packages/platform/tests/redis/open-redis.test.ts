import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { freePort, startRedis, type RedisServer } from "@chirrup/servers";
import { waitFor } from "@chirrup/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { createLogger, openRedis, type Redis } from "../../src/index.ts";

let folder: string;
let port: number;
let server: RedisServer | undefined;
let redis: Redis | undefined;
const lines: string[] = [];
const log = createLogger({
  service: "test",
  level: "debug",
  format: "json",
  destination: { write: (line) => void lines.push((JSON.parse(line) as { msg: string }).msg) },
});

async function start(): Promise<void> {
  server = await startRedis({ dataDir: join(folder, "data"), port, logFile: join(folder, "redis.log") });
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "chirrup-redis-"));
  port = await freePort();
  lines.length = 0;
});

afterEach(async () => {
  redis?.disconnect();
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

describe("openRedis", () => {
  it("waits for its server, survives its death and says so once", async () => {
    redis = openRedis({ url: `redis://127.0.0.1:${port}`, log, name: "cache", commandTimeoutMs: 10_000 });
    let attempts = 0;
    redis.on("reconnecting", () => attempts++);
    const early = redis.set("k", "v");
    await waitFor(() => attempts > 3);
    await start();
    expect(await early).toBe("OK");
    expect(await redis.client("GETNAME")).toBe("cache");

    await server?.stop();
    attempts = 0;
    await waitFor(() => attempts > 3);
    await start();
    await redis.ping();
    expect(lines).toEqual(["redis is away", "redis is back", "redis is away", "redis is back"]);
  });

  it("fails a command in time while there is no server", async () => {
    redis = openRedis({ url: `redis://127.0.0.1:${port}`, log, name: "cache", commandTimeoutMs: 100 });
    const startedMs = performance.now();
    await expect(redis.get("k")).rejects.toThrow("timed out");
    expect(performance.now() - startedMs).toBeLessThan(2_000);
  });
});
