import { execFileSync, fork, spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A process of the bench: it says one thing when it is ready, and answers questions one by one. */
export interface Worker {
  readonly ready: unknown;
  readonly pid: number | undefined;
  ask<T>(question: object): Promise<T>;
  stop(): void;
}

/** A package under test: a server and a client, in processes of their own. */
export interface Peer {
  readonly client: Worker;
  readonly server: Worker;
}

type Start = (args: readonly string[]) => Promise<Worker>;

const grpc = new URL("../../packages/grpc/", import.meta.url);
const compiler = "go";

/** A peer whose program is `packages/grpc/bench/<name>.ts`. */
export async function startNodePeer(name: string): Promise<Peer> {
  const file = fileURLToPath(new URL(`bench/${name}.ts`, grpc));
  return startPeer(async (args) => {
    const child = fork(file, args);
    return workerOf(child, await firstOf(child), (question) => void child.send(question));
  });
}

/** grpc-go, built with the Go of this machine; undefined without one. */
export async function startGoPeer(): Promise<Peer | undefined> {
  if (spawnSync(compiler, ["version"]).status !== 0) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "chirrup-bench-grpc-"));
  const program = join(folder, "grpc-go");
  execFileSync(compiler, ["build", "-o", program, "./bench"], {
    cwd: new URL("go/", grpc),
    stdio: "inherit",
  });
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  return startPeer(async (args) => {
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
    createInterface(child.stdout).on("line", (line) => child.emit("message", JSON.parse(line)));
    return workerOf(child, await firstOf(child), (question) => {
      child.stdin.write(`${JSON.stringify(question)}\n`);
    });
  });
}

async function startPeer(start: Start): Promise<Peer> {
  const server = await start(["server"]);
  return { server, client: await start(["client", String(server.ready)]) };
}

async function firstOf(child: ChildProcess): Promise<unknown> {
  const [first] = (await once(child, "message")) as [unknown];
  return first;
}

function workerOf(child: ChildProcess, ready: unknown, send: (question: object) => void): Worker {
  return {
    ready,
    pid: child.pid,
    async ask<T>(question: object) {
      const { promise, resolve, reject } = Promise.withResolvers<T>();
      const failed = (): void => reject(new Error("a process of the bench has ended"));
      child.once("exit", failed);
      child.once("message", (answer) => {
        child.off("exit", failed);
        resolve(answer as T);
      });
      send(question);
      return promise;
    },
    stop: () => void child.kill(),
  };
}
