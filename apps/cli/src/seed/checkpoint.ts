import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** How far a seed has come: all before these positions is done. */
export interface Checkpoint {
  follows: number;
  posts: number;
}

const writeEveryMs = 500;

/** A checkpoint kept in a file, so that the same command goes on where an interrupted one stopped. */
export interface CheckpointFile {
  readonly value: Readonly<Checkpoint>;
  set(change: Partial<Checkpoint>): void;
  flush(): void;
}

export function openCheckpoint(file: string): CheckpointFile {
  let value: Checkpoint = { follows: 0, posts: 0 };
  try {
    value = JSON.parse(readFileSync(file, "utf8")) as Checkpoint;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" && !(error instanceof SyntaxError)) throw error;
  }
  let writtenAt = 0;
  function flush(): void {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(`${file}.next`, JSON.stringify(value));
    renameSync(`${file}.next`, file);
    writtenAt = performance.now();
  }
  return {
    get value() {
      return value;
    },
    set(change) {
      value = { ...value, ...change };
      if (performance.now() - writtenAt > writeEveryMs) flush();
    },
    flush,
  };
}
