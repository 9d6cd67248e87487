import type { ChildProcess } from "node:child_process";
import { fork } from "node:child_process";
import { extname } from "node:path";
import type { Logger } from "@chirrup/platform";
import { unavailable } from "@chirrup/platform";

/** What argon2 takes. */
export interface HashParameters {
  readonly algorithm: number;
  /** KiB. */
  readonly memoryCost: number;
  readonly timeCost: number;
  readonly parallelism: number;
}

type Wanted =
  | { readonly kind: "hash"; readonly password: string; readonly parameters: HashParameters }
  | { readonly kind: "verify"; readonly stored: string; readonly password: string };

/** What the process is asked. */
export type Task = Wanted & { readonly id: number };

/** What it answers. */
export type Answer = { readonly id: number } & (
  | { readonly hash: string }
  | { readonly matches: boolean }
  | { readonly error: string }
);

/**
 * argon2id in a process of its own at a low priority: the system gives it what the other processes and this one's
 * event loop leave, so hashing at its full rate delays nobody. A thread would have the priority of its process.
 * The measurement: docs/decisions/0071-passwords-are-hashed-in-a-process-of-low-priority.md.
 */
export interface HashingProcess {
  /** PHC string. @throws UNAVAILABLE when the process ended meanwhile. */
  hash(password: string, parameters: HashParameters): Promise<string>;
  /** @throws UNAVAILABLE when the process ended meanwhile. */
  verify(stored: string, password: string): Promise<boolean>;
  /** The id of the process; undefined while there is none. */
  pid(): number | undefined;
  close(): void;
}

const program = new URL(`hash-passwords${extname(import.meta.filename)}`, import.meta.url);
/** It keeps nothing; argon2's memory is outside of the heap (MiB). */
const heap = ["--max-semi-space-size=1", "--max-old-space-size=32"];

/**
 * Starts the process, and another at the next call when it has ended.
 *
 * @param options.niceness - 0 to 19 (nice(2)).
 */
export function startHashingProcess(options: { niceness: number; log: Logger }): HashingProcess {
  const { niceness, log } = options;
  const pending = new Map<number, { resolve: (answer: Answer) => void; reject: (error: Error) => void }>();
  let child: ChildProcess | undefined;
  let lastId = 0;
  let closed = false;

  function start(): ChildProcess {
    const started = fork(program, [String(niceness)], {
      execArgv: heap,
      env: {},
      // A session of its own: see hash-passwords.ts. It ends all the same when this process does, however that ends.
      detached: true,
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    started.on("message", (answer: Answer) => {
      pending.get(answer.id)?.resolve(answer);
      pending.delete(answer.id);
    });
    const gone = (why: object): void => {
      if (child === started) child = undefined;
      for (const { reject } of pending.values()) reject(unavailable("the hashing was interrupted", 100));
      pending.clear();
      if (!closed) log.error(why, "the hashing process ended");
    };
    started.once("exit", (code, signal) => gone({ code, signal }));
    started.on("error", (error) => gone({ err: error }));
    return started;
  }

  function ask(wanted: Wanted): Promise<Answer> {
    if (closed) return Promise.reject(unavailable("shutting down"));
    const id = ++lastId;
    return new Promise((resolve, reject) => {
      pending.set(id, { resolve, reject });
      child ??= start();
      // A failure to send is told by the process's end.
      child.send({ ...wanted, id }, () => undefined);
    });
  }

  child = start();
  return {
    async hash(password, parameters) {
      const answer = await ask({ kind: "hash", password, parameters });
      if ("hash" in answer) return answer.hash;
      throw hashingFailed(answer);
    },
    async verify(stored, password) {
      const answer = await ask({ kind: "verify", stored, password });
      if ("matches" in answer) return answer.matches;
      throw hashingFailed(answer);
    },
    pid: () => child?.pid,
    close() {
      closed = true;
      child?.disconnect();
    },
  };
}

function hashingFailed(answer: Answer): Error {
  return new Error(`argon2: ${"error" in answer ? answer.error : "another answer"}`);
}
