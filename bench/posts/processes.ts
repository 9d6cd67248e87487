import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { createClient, GrpcError, Status } from "@chirrup/grpc";
import {
  createLogger,
  type Logger,
  migrate,
  openPeer,
  openPostgres,
  platformMigrations,
  type Postgres,
} from "@chirrup/platform";
import { PostService } from "@chirrup/proto/chirrup/post/v1/post_service";
import { freePort, startPostgres, startRedis } from "@chirrup/servers";

export const peerSecret = "a secret of the benches, long enough for one";
const repository = new URL("../../", import.meta.url);

/** A program of this bench in a process of its own. */
export interface Program {
  readonly address: string;
  /** CPU time that the process has used, in microseconds, in steps of 10,000. */
  cpuUs(): number;
}

/** The servers and services that are measured; nothing else is on them. */
export interface Stage extends AsyncDisposable {
  readonly log: Logger;
  readonly postgres: Postgres;
  readonly redisUrl: string;
  readonly service: Program;
  readonly updateRow: Program;
}

/** Starts Postgres as it is by default (fsync on), Redis, the post service and its plain counterpart. */
export async function setStage(): Promise<Stage> {
  const log = createLogger({ service: "bench", level: "error", format: "json" });
  const folder = mkdtempSync(join(tmpdir(), "chirrup-bench-"));
  const server = await startPostgres({
    dataDir: join(folder, "postgres"),
    port: await freePort(),
    logFile: join(folder, "postgres.log"),
    superuserPassword: "bench",
  });
  const redis = await startRedis({
    dataDir: join(folder, "redis"),
    port: await freePort(),
    logFile: join(folder, "redis.log"),
  });
  const url = server.superuserUrl();
  await migrate({
    url,
    folders: [platformMigrations, new URL("services/post/migrations/", repository)],
    log,
  });
  const postgres = openPostgres({ url, applicationName: "bench", log });
  const children: ChildProcess[] = [];

  async function start(file: string, args: string[], env: Record<string, string>): Promise<ChildProcess> {
    const path = fileURLToPath(new URL(file, repository));
    const child = spawn(process.execPath, ["-C", "source", path, ...args], {
      env,
      stdio: ["ignore", "pipe", "inherit"],
    });
    children.push(child);
    child.stdout?.resume();
    return child;
  }

  const [servicePort, adminPort, rowPort] = [await freePort(), await freePort(), await freePort()];
  const service = await start("services/post/src/main.ts", [], {
    DATABASE_URL: url,
    EVENT_LOG_URL: redis.url,
    USER_SERVICE: "127.0.0.1:1",
    PEER_SECRET: peerSecret,
    CURSOR_SECRET: peerSecret,
    GRPC_PORT: String(servicePort),
    HTTP_PORT: String(adminPort),
    LOG_LEVEL: "error",
  });
  const updateRow = await start("bench/posts/update-row-service.ts", [String(rowPort), url, peerSecret], {});
  await Promise.all([servicePort, rowPort].map(untilServing));
  const program = (child: ChildProcess, port: number): Program => ({
    address: `127.0.0.1:${port}`,
    cpuUs: () => cpuUs(child.pid ?? 0),
  });
  return {
    log,
    postgres,
    redisUrl: redis.url,
    service: program(service, servicePort),
    updateRow: program(updateRow, rowPort),
    async [Symbol.asyncDispose]() {
      for (const child of children) {
        child.kill("SIGKILL");
        if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
      }
      await postgres.close();
      await Promise.all([redis.stop(), server.stop()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function untilServing(port: number): Promise<void> {
  const untilMs = performance.now() + 60_000;
  const channel = openPeer(`127.0.0.1:${port}`, peerSecret);
  const client = createClient(PostService, channel);
  // Without a caller the answer is a refusal by the service itself.
  for (let code: Status | undefined; code !== Status.UNAUTHENTICATED;) {
    if (performance.now() > untilMs) throw new Error(`nothing serves on port ${port}`);
    const error: unknown = await client
      .likePost({ postId: 1n }, { timeoutMs: 1_000 })
      .catch((e: unknown) => e);
    code = error instanceof GrpcError ? error.code : undefined;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  channel.close();
}

/** utime and stime of proc(5); 0 where there is no procfs. */
function cpuUs(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) * 10_000;
  } catch {
    return 0;
  }
}
