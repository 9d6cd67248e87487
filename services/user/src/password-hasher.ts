import { randomBytes } from "node:crypto";
import { parseOptions } from "@node-rs/argon2";
import { overloaded } from "@chirrup/platform";
import type { HashCost } from "./domain/hash-cost.ts";
import { createWorkQueue, QueueFull } from "./domain/work-queue.ts";
import type { HashingProcess } from "./hashing/hashing-process.ts";

/** What is asked and told in a password's turn, so that no other of the same kind is verified in between. */
export interface Guard {
  check(): Promise<void>;
  failed(): Promise<void>;
}

/**
 * argon2id behind a bounded line, in a process that yields to all others: so a flood of sign-ins slows only sign-ins.
 */
export interface PasswordHasher {
  /** PHC string. @throws RESOURCE_EXHAUSTED with a retry delay when the line is full. */
  hash(password: string, signal?: AbortSignal): Promise<string>;
  /**
   * Whether the password is the one that was hashed. Without a hash or a password it is false, after the
   * same work, so that the time does not tell whether an account exists.
   *
   * @param guard - Checked before the work, and told when it was in vain.
   * @throws RESOURCE_EXHAUSTED with a retry delay when the line is full.
   */
  verify(
    stored: string | undefined,
    password: string | undefined,
    guard: Guard,
    signal?: AbortSignal,
  ): Promise<boolean>;
  /** Whether a hash was made at another cost than today's. */
  isOutdated(stored: string): boolean;
  /**
   * Takes a place for a call that anybody can make and that is going to hash, until it is disposed of. There are as
   * many as hash and wait, fewer when that would take long, so a flood is turned away before it has cost the database
   * anything.
   *
   * @throws RESOURCE_EXHAUSTED with a retry delay when all are taken.
   */
  admit(): Disposable;
  /** How many calls wait. */
  waiting(): number;
}

const retryAfterMs = 1_000;
/** `Algorithm.Argon2id`; the package declares it as a const enum, which type stripping cannot read. */
const argon2id = 2;

function tooManyAtOnce(): Error {
  return overloaded("too many sign-ins at once", retryAfterMs);
}

export async function createPasswordHasher(options: {
  hashing: Pick<HashingProcess, "hash" | "verify">;
  cost: HashCost;
  concurrency: number;
  maxWaiting: number;
  maxWaitMs: number;
}): Promise<PasswordHasher> {
  const { hashing, cost } = options;
  const queue = createWorkQueue({ ...options, now: () => performance.now() });
  let admitted = 0;
  const parameters = {
    algorithm: argon2id,
    memoryCost: cost.memoryKib,
    timeCost: cost.passes,
    parallelism: 1,
  };
  const nobodysHash = await hashing.hash(randomBytes(32).toString("base64"), parameters);

  async function inLine<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    try {
      return await queue.run(work, signal);
    } catch (error) {
      if (error instanceof QueueFull) throw tooManyAtOnce();
      throw error;
    }
  }

  return {
    hash: (password, signal) => inLine(() => hashing.hash(password, parameters), signal),
    verify: (stored, password, guard, signal) =>
      inLine(async () => {
        await guard.check();
        const matches = await hashing.verify(stored ?? nobodysHash, password ?? "");
        const isRight = matches && stored !== undefined && password !== undefined;
        if (!isRight) await guard.failed();
        return isRight;
      }, signal),
    isOutdated(stored) {
      const made = parseOptions(stored);
      return made.memoryCost !== cost.memoryKib || made.timeCost !== cost.passes || made.parallelism !== 1;
    },
    admit() {
      const tooMany = admitted >= options.concurrency + options.maxWaiting;
      if (tooMany || queue.expectedWaitMs() > options.maxWaitMs) throw tooManyAtOnce();
      admitted++;
      return {
        [Symbol.dispose]() {
          admitted--;
        },
      };
    },
    waiting: () => queue.waiting(),
  };
}
