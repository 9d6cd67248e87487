import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { createClient } from "@chirrup/grpc";
import { openPeer } from "@chirrup/platform";
import { FollowService } from "@chirrup/proto/chirrup/follow/v1/follow_service";
import { testPostgres, testRedis, waitFor } from "@chirrup/testkit";
import { afterEach, describe, expect, it } from "vitest";
import { as, peerSecret, serveUsers } from "./follow-service.ts";

const started: ChildProcess[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill("SIGKILL");
});

function run(entry: "main" | "migrate", env: Readonly<Record<string, string>>): ChildProcess {
  const file = new URL(`../src/${entry}.ts`, import.meta.url).pathname;
  const child = spawn(process.execPath, ["-C", "source", file], {
    env: { ...env, LOG_LEVEL: "error" },
    stdio: ["ignore", "inherit", "pipe"],
  });
  started.push(child);
  return child;
}

async function exitCode(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return child.exitCode;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

describe("the process", () => {
  it("migrates, serves once it is ready, and ends cleanly on SIGTERM", async () => {
    const userService = await serveUsers(new Set([1n, 2n]));
    const [grpcPort, httpPort] = [await freePort(), await freePort()];
    const env = {
      DATABASE_URL: await (await testPostgres()).createDatabase("follow"),
      EVENT_LOG_URL: (await testRedis()).url,
      USER_SERVICE: userService.address,
      PEER_SECRET: peerSecret,
      CURSOR_SECRET: "the cursor secret of the process test",
      GRPC_PORT: String(grpcPort),
      HTTP_PORT: String(httpPort),
    };
    expect(await exitCode(run("migrate", env))).toBe(0);

    const main = run("main", env);
    await waitFor(async () => (await fetch(`http://127.0.0.1:${httpPort}/readyz`)).ok, { what: "readiness" });
    const channel = openPeer(`127.0.0.1:${grpcPort}`, peerSecret);
    const client = createClient(FollowService, channel);
    await client.follow({ userId: 2n }, as(1n));
    expect((await client.getFollowCounts({ userId: 2n })).counts?.followers).toBe(1n);

    main.kill("SIGTERM");
    expect(await exitCode(main)).toBe(0);
    channel.close();
    await userService.close();
  });

  it("names every setting that is missing and ends with 78", async () => {
    const main = run("main", {});
    let told = "";
    main.stderr?.on("data", (text: Buffer) => (told += text.toString()));
    expect(await exitCode(main)).toBe(78);
    for (const name of ["DATABASE_URL", "USER_SERVICE", "PEER_SECRET", "CURSOR_SECRET", "GRPC_PORT"]) {
      expect(told).toContain(name);
    }
  });
});
