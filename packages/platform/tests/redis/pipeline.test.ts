import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, type RedisServer, startRedis } from "@chirrup/servers";
import { testLog, waitFor } from "@chirrup/testkit";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  type CommandBatch,
  createRedisScript,
  encodeCommand,
  openRedisPipeline,
  type OpenRedisPipelineOptions,
  type RedisArgs,
  RedisError,
  type RedisPipeline,
  runRedisScript,
} from "../../src/index.ts";
import { severableProxy } from "../severable-proxy.ts";

const password = "not-to-be-guessed";
let folder: string;
let port: number;
let server: RedisServer;
const opened: RedisPipeline[] = [];

async function start(): Promise<void> {
  server = await startRedis({
    dataDir: join(folder, "data"),
    port,
    logFile: join(folder, "redis.log"),
    password,
  });
}
function open(options: Partial<OpenRedisPipelineOptions> = {}): RedisPipeline {
  const defaults = { url: `${server.url}/2`, log: testLog(), name: "a-test", commandTimeoutMs: 20_000 };
  const redis = openRedisPipeline({ ...defaults, ...options });
  opened.push(redis);
  return redis;
}
function batchOf(commands: readonly RedisArgs[], commandsEach = 1): CommandBatch {
  const texts = commands.map(encodeCommand);
  return {
    size: commands.length / commandsEach,
    commandsEach,
    slot: () => 0,
    encode: (at) => texts.slice(at * commandsEach, (at + 1) * commandsEach).join(""),
  };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "chirrup-pipeline-"));
  port = await freePort();
  await start();
});
beforeEach(() => open().call("", ["FLUSHALL"]));
afterEach(() => {
  for (const redis of opened.splice(0)) redis.close();
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

describe("a pipeline", () => {
  it("says who it is, and keeps to its database", async () => {
    const redis = open();
    expect(await redis.call("", ["CLIENT", "GETNAME"])).toBe("a-test");
    await redis.call("k", ["SET", "k", 1]);
    expect(await open({ url: `${server.url}/3` }).call("k", ["GET", "k"])).toBeNull();
    expect(redis.readyNode("k")).toBeDefined();
  });

  it("carries any text, numbers that no double holds, and large values", async () => {
    const redis = open();
    const text = "a\r\n\0ü€😀".repeat(200_000);
    await redis.call("k", ["SET", "k", text]);
    expect(await redis.call("k", ["GET", "k"])).toBe(text);
    await redis.call("n", ["SET", "n", 2n ** 63n - 1n]);
    expect(await redis.call("n", ["INCRBY", "n", 0])).toBe(2n ** 63n - 1n);
    const ids = Array.from({ length: 50_000 }, (_, at) => `${at}`);
    await redis.call("l", ["RPUSH", "l", ...ids]);
    expect(await redis.call("l", ["LRANGE", "l", 0, -1])).toEqual(ids);
  });

  it("keeps the order of batches and of their items, beyond what may be under way at once", async () => {
    const redis = open({ maxInFlight: 10 });
    const batches = Array.from({ length: 50 }, (_, at) =>
      redis.run(batchOf(Array.from({ length: 1 + (at % 30) }, () => ["INCR", "n"]))),
    );
    const replies = (await Promise.all(batches)).flat();
    expect(replies).toEqual(replies.map((_, at) => at + 1));
    expect(await redis.run(batchOf([]))).toEqual([]);
  });

  it("gives an error to its own command", async () => {
    const redis = open();
    const replies = await redis.run(batchOf([["SET", "k", "v"], ["INCR", "k"], ["NOTHING"], ["GET", "k"]]));
    expect(replies.map(String)).toEqual([
      "OK",
      "RedisError: ERR value is not an integer or out of range",
      expect.stringContaining("RedisError: ERR unknown command"),
      "v",
    ]);
    await expect(redis.call("k", ["INCR", "k"])).rejects.toThrow(RedisError);
  });

  it("answers a transaction with its end, or with its first error", async () => {
    const redis = open();
    const good = [["MULTI"], ["INCR", "a"], ["INCR", "a"], ["EXEC"]];
    const bad = [["MULTI"], ["NOTHING"], ["INCR", "a"], ["EXEC"]];
    const [first, second, third] = await redis.run(batchOf([...good, ...bad, ...good], 4));
    expect(first).toEqual([1, 2]);
    expect(String(second)).toContain("unknown command");
    expect(third).toEqual([3, 4]);
  });

  it("runs scripts that the server does not know", async () => {
    const redis = open();
    const script = createRedisScript("return {KEYS[1], ARGV[1]}");
    const runs = ["a", "b"].map((key) => ({ keys: [key] as const, args: [`${key}!`] }));
    for (const round of ["EVAL", "EVALSHA"]) {
      const replies = await runRedisScript(redis, script, runs);
      expect(replies, round).toEqual([
        ["a", "a!"],
        ["b", "b!"],
      ]);
    }
    const failing = createRedisScript("return redis.error_reply('no ' .. KEYS[1])");
    expect(String((await runRedisScript(redis, failing, runs))[1])).toBe("RedisError: no b");
  });

  it("fails what was under way when its server is killed, sends none of it again, and goes on with the next", async () => {
    const redis = open();
    await redis.call("n", ["SET", "n", 0]);
    const blocked = redis.call("l", ["BLPOP", "l", 0]);
    const behind = redis.run(batchOf([["INCR", "n"]]));
    const outcomes = Promise.allSettled([blocked, behind]);
    const other = open();
    await waitFor(async () =>
      String(await other.call("", ["INFO", "clients"])).includes("blocked_clients:1"),
    );
    process.kill(server.pid, "SIGKILL");
    expect((await outcomes).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    const waiting = redis.call("n", ["INCR", "n"]);
    expect(redis.readyNode("n")).toBeUndefined();
    await start();
    expect(await waiting).toBe(1);
  });

  it("gives up a server that is silent, in time, and connects anew", async () => {
    await using proxy = await severableProxy(`${server.url}/2`);
    const redis = open({ url: proxy.url, commandTimeoutMs: 300 });
    await redis.call("k", ["SET", "k", "v"]);
    proxy.freeze();
    const outcomes = await Promise.allSettled([redis.call("k", ["GET", "k"]), redis.call("k", ["GET", "k"])]);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    await waitFor(() => redis.readyNode("k") !== undefined);
    expect(await redis.call("k", ["GET", "k"])).toBe("v");
    await proxy.sever();
    await waitFor(() => redis.readyNode("k") === undefined);
    await expect(redis.call("k", ["GET", "k"])).rejects.toThrow("300 ms");
    await proxy.restore();
  });

  it("does not take its own process's being busy for a silent server", async () => {
    const redis = open({ commandTimeoutMs: 200 });
    await redis.call("k", ["SET", "k", "v"]);
    const reply = redis.call("k", ["GET", "k"]);
    await new Promise((resolve) => setImmediate(resolve));
    for (const until = performance.now() + 500; performance.now() < until;);
    expect(await reply).toBe("v");
  });

  it("waits for a connection no longer than its timeout, and says nothing of the password", async () => {
    const redis = open({ url: `redis://:wrong@127.0.0.1:${port}`, commandTimeoutMs: 300 });
    await expect(redis.call("k", ["GET", "k"])).rejects.toThrow("did not answer in 300 ms");
    expect(() => open({ url: "http://:wrong@h" })).toThrow(/^not a URL of Redis$/);
  });

  it("fails what waits when it is closed", async () => {
    const redis = open();
    const blocked = redis.call("l", ["BLPOP", "l", 0]);
    redis.close();
    redis.close();
    await expect(blocked).rejects.toThrow("closed");
    await expect(redis.call("k", ["GET", "k"])).rejects.toThrow("closed");
  });
});
