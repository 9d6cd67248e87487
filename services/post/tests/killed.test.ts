import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

import { createClient } from "@chirrup/grpc";
import { openPeer } from "@chirrup/platform";
import { PostService } from "@chirrup/proto/chirrup/post/v1/post_service";
import { freePort } from "@chirrup/servers";
import { testRedis, waitFor } from "@chirrup/testkit";
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

it("counts 10,000 likes exactly when the service is killed in their midst", async () => {
  await using database = await startPostService();
  const { post } = await database.client.createPost({ content: "viral" }, as(1n));
  const postId = post?.id ?? 0n;
  const port = await freePort();
  const env = {
    DATABASE_URL: database.url,
    EVENT_LOG_URL: (await testRedis()).url,
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
  async function killAndStart(): Promise<void> {
    service.kill("SIGKILL");
    await once(service, "exit");
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
          if (acknowledged.length === users / 2) restarted = killAndStart();
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
