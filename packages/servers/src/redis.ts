import { accessSync, constants, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { delimiter, join } from "node:path";
import { type ExitInfo, startProcess, untilAnswers } from "./process.ts";

export interface RedisOptions {
  /** Working directory and home of the append-only file. */
  readonly dataDir: string;
  readonly port: number;
  /** Lines of redis.conf. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly logFile: string;
  readonly password?: string;
  /** Ends the start: the process is stopped and the promise rejects. */
  readonly signal?: AbortSignal | undefined;
}

export interface RedisServer {
  readonly port: number;
  readonly pid: number;
  readonly url: string;
  readonly exited: Promise<ExitInfo>;
  stop(): Promise<ExitInfo>;
}

/** The path of redis-server or valkey-server, if the system has one. */
export function findRedisServer(): string | undefined {
  const folders = [
    ...(process.env["PATH"] ?? "").split(delimiter),
    "/usr/bin",
    "/usr/local/bin",
    "/opt/homebrew/bin",
  ];
  for (const name of ["valkey-server", "redis-server"]) {
    for (const folder of folders) {
      const path = join(folder, name);
      if (!existsSync(path)) continue;
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {
        continue;
      }
    }
  }
  return undefined;
}

function answersPing(port: number, password: string | undefined): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    const done = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    let text = "";
    socket.setTimeout(1_000, () => done(false));
    socket.once("error", () => done(false));
    socket.once("connect", () => {
      if (password !== undefined) socket.write(`AUTH ${password}\r\n`);
      socket.write("PING\r\n");
    });
    socket.on("data", (data: Buffer) => {
      text += data.toString("latin1");
      if (text.includes("+PONG")) done(true);
      // While it loads its append-only file, Redis answers -LOADING.
      else if (text.includes("-LOADING") || text.includes("-NOAUTH") || text.includes("-WRONGPASS"))
        done(false);
    });
    socket.once("close", () => done(false));
  });
}

/** Starts a Redis (or Valkey) server on 127.0.0.1 and waits until it answers. */
export async function startRedis(options: RedisOptions): Promise<RedisServer> {
  const program = findRedisServer();
  if (program === undefined) throw new Error("There is no redis-server or valkey-server on this machine");
  const { dataDir, port, password } = options;
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const settings: Record<string, string> = {
    bind: "127.0.0.1",
    port: String(port),
    dir: JSON.stringify(dataDir),
    daemonize: "no",
    save: '""',
    ...options.settings,
  };
  // In a file, because the arguments of a process can be read by every user of the machine.
  if (password !== undefined) settings["requirepass"] = password;
  const configFile = join(dataDir, "redis.conf");
  const lines = Object.entries(settings).map(([name, value]) => `${name} ${value}\n`);
  writeFileSync(configFile, lines.join(""), { mode: 0o600 });
  const running = await startProcess({ command: program, args: [configFile], logFile: options.logFile });
  await untilAnswers({
    name: "Redis",
    running,
    answers: () => answersPing(port, password),
    withinMs: 60_000,
    everyMs: 20,
    signal: options.signal,
  });
  const secret = password === undefined ? "" : `:${password}@`;
  return {
    port,
    pid: running.pid,
    url: `redis://${secret}127.0.0.1:${port}`,
    exited: running.exited,
    stop: running.stop,
  };
}
