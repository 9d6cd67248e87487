import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

import { createClient, serve, Status } from "@chirrup/grpc";
import { openPeer } from "@chirrup/platform";
import { PostService } from "@chirrup/proto/chirrup/post/v1/post_service";
import { freePort } from "@chirrup/servers";
import { testPostgres, testRedis, waitFor } from "@chirrup/testkit";
import { expect, it } from "vitest";

import { as, codeOf, peerSecret, userService } from "./post-service.ts";

function run(program: "main" | "migrate", env: Record<string, string>): ChildProcess {
  const path = fileURLToPath(new URL(`../src/${program}.ts`, import.meta.url));
  return spawn(process.execPath, ["-C", "source", path], { env, stdio: ["ignore", "ignore", "pipe"] });
}

async function exitCode(child: ChildProcess): Promise<unknown> {
  if (child.exitCode === null) await once(child, "exit");
  return child.exitCode;
}

it("migrates, becomes ready, serves, and ends at SIGTERM", async () => {
  const users = await serve({ services: [userService(new Set([1n]))], host: "127.0.0.1", port: 0 });
  const env = {
    DATABASE_URL: await (await testPostgres()).createDatabase("post"),
    EVENT_LOG_URL: (await testRedis()).url,
    USER_SERVICE: `127.0.0.1:${users.port}`,
    PEER_SECRET: peerSecret,
    CURSOR_SECRET: "another secret of the tests, just as long",
    GRPC_PORT: String(await freePort()),
    HTTP_PORT: String(await freePort()),
    LOG_LEVEL: "error",
  };
  expect(await exitCode(run("migrate", env))).toBe(0);
  expect(await exitCode(run("migrate", env))).toBe(0);

  const service = run("main", env);
  try {
    const ready = `http://127.0.0.1:${env.HTTP_PORT}/readyz`;
    await waitFor(async () => (await fetch(ready)).ok, { what: "readiness", timeoutMs: 40_000 });

    const channel = openPeer(`127.0.0.1:${env.GRPC_PORT}`, peerSecret);
    const client = createClient(PostService, channel);
    const { post } = await client.createPost({ content: "hello" }, as(1n));
    expect((await client.listUserPosts({ userId: 1n })).posts).toEqual([post]);
    expect(await codeOf(client.listUserPosts({ userId: 2n }))).toBe(Status.NOT_FOUND);
    channel.close();

    const stranger = openPeer(`127.0.0.1:${env.GRPC_PORT}`, "a secret of nobody, though it is long enough");
    expect(await codeOf(createClient(PostService, stranger).getPost({ postId: 1n }))).toBe(
      Status.UNAUTHENTICATED,
    );
    stranger.close();
  } finally {
    service.kill("SIGTERM");
  }
  expect(await exitCode(service)).toBe(0);
  await users.close(0);
}, 90_000);

it.each(["main", "migrate"] as const)("%s tells what it must be told, and ends with 78", async (program) => {
  const child = run(program, {});
  const code = exitCode(child);
  expect(await text(child.stderr as Readable)).toContain("DATABASE_URL is required");
  expect(await code).toBe(78);
});
