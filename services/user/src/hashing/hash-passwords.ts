// The program of the hashing process: argon2id and nothing else, at the niceness that it is given. Its environment
// is empty and it has no connection but the pipe to its parent, with whom it ends.
import { writeFileSync } from "node:fs";
import { getPriority, setPriority } from "node:os";
import { hash, verify } from "@node-rs/argon2";
import type { Answer, Task } from "./hashing-process.ts";

yieldToEverybody(Number(process.argv[2]));
process.on("message", (task: Task) => {
  // Nobody is left to tell when that fails: the parent has ended.
  void perform(task).then((answer) => process.send?.(answer, () => undefined));
});

async function perform(task: Task): Promise<Answer> {
  const { id } = task;
  try {
    return task.kind === "hash"
      ? { id, hash: await hash(task.password, task.parameters) }
      : { id, matches: await verify(task.stored, task.password) };
  } catch (error) {
    return { id, error: error instanceof Error ? error.message : "no error" };
  }
}

/** Threads that are started later, libuv's among them, are as low. */
function yieldToEverybody(niceness: number): void {
  // Never up: this process may have been started low, and only an administrator may raise it.
  setPriority(Math.max(niceness, getPriority()));
  try {
    // Where Linux schedules by session (sched(7), "The autogroup feature") a nice value counts within the session only.
    writeFileSync("/proc/self/autogroup", String(niceness));
  } catch {
    // Another system, or one that does not: the nice value is enough.
  }
}
