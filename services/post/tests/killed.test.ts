import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { createClient } from "@chirrup/grpc";
import { openPeer } from "@chirrup/platform";
import { PostService } from "@chirrup/proto/chirrup/post/v1/post_service";
import { freePort, type RedisServer, startRedis } from "@chirrup/servers";
import { waitFor } from "@chirrup/testkit";
import { expect, it, onTestFinished } from "vitest";

import { as, peerSecret, startPostService } from "./post-service.ts";

const users = 10_000;
const atOnce = 256;

/** The service in a process of its own, which is ready. */
async function startProcess(env: Record<string, string>): Promise<ChildProcess> {
  const path = fileURLToPath(new URL("../src/main.ts", import.meta.url));
  const child = spawn(process.execPath, ["-C", "source", path], { env, stdio: "ignore" });
  const ready = `http://127.0.0.1:${env["HTTP_PORT"]}/readyz`;
  await waitFor(async () => (await fetch(ready)).ok, { what: "readiness", timeoutMs: 60_000 });
  return child;
}

/** A Redis that may be killed; it keeps nothing. */
async function startOwnRedis(): Promise<{
  readonly url: string;
  kill(): Promise<void>;
  start(): Promise<void>;
}> {
  const dataDir = mkdtempSync(join(tmpdir(), "chirrup-redis-"));
  const port = await freePort();
  let redis: RedisServer | undefined;
  const start = async (): Promise<void> => {
    redis = await startRedis({ dataDir, port, logFile: join(dataDir, "redis.log") });
  };
  await start();
  onTestFinished(async () => {
    await redis?.stop();
    rmSync(dataDir, { recursive: true });
  });
  return {
    url: `redis://127.0.0.1:${port}`,
    start,
    async kill() {
      process.kill(redis?.pid ?? 0, "SIGKILL");
      await redis?.exited;
    },
  };
}

it("counts 10,000 likes exactly when Redis and the service that counts are killed in their midst", async () => {
  await using database = await startPostService();
  const { post } = await database.client.createPost({ content: "viral" }, as(1n));
  const postId = post?.id ?? 0n;
  const redis = await startOwnRedis();
  const port = await freePort();
  const env = {
    DATABASE_URL: database.url,
    EVENT_LOG_URL: redis.url,
    USER_SERVICE: "127.0.0.1:1",
    PEER_SECRET: peerSecret,
    CURSOR_SECRET: "another secret of the tests, just as long",
    GRPC_PORT: String(port),
    HTTP_PORT: String(await freePort()),
    LOG_LEVEL: "error",
  };
  let service = await startProcess(env);
  onTestFinished(() => void service.kill("SIGKILL"));
  const channel = openPeer(`127.0.0.1:${port}`, peerSecret);
  onTestFinished(() => channel.close());
  const client = createClient(PostService, channel);

  let next = 0;
  const acknowledged: bigint[] = [];
  let unanswered = 0;
  let restarted: Promise<void> | undefined;
  let redisKilled: Promise<void> | undefined;
  async function killAndStart(): Promise<void> {
    service.kill("SIGKILL");
    await once(service, "exit");
    await redis.start();
    service = await startProcess(env);
  }
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (next < users) {
        next += 1;
        const userId = BigInt(next);
        try {
          await client.likePost({ postId }, as(userId));
          acknowledged.push(userId);
          if (acknowledged.length === users / 4) redisKilled = redis.kill();
          if (acknowledged.length === users / 2) restarted = redisKilled?.then(killAndStart);
        } catch {
          // It may have been written all the same; whoever gets no answer asks again once the service is there.
          unanswered += 1;
          await restarted;
          await client.likePost({ postId }, as(userId));
          acknowledged.push(userId);
        }
      }
    }),
  );
  await restarted;
  expect(unanswered).toBeGreaterThan(0);
  expect(acknowledged).toHaveLength(users);
  const [rows] = await database.postgres.query<{ likes: bigint }>({
    name: "count-likes",
    text: "select count(*) as likes from likes where post_id = $1",
    values: [postId],
  });
  expect(rows?.likes).toBe(BigInt(users));
  expect((await client.getPost({ postId })).post?.likeCount).toBe(BigInt(users));
});
