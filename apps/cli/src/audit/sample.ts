import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** How far an audit has come: all of its sample before this position. */
export interface AuditProgress {
  /** What the sample is drawn with. */
  readonly seed: string;
  /** How many readers, or null for all. */
  readonly sample: number | null;
  readonly done: number;
  readonly pages: number;
  readonly differences: number;
  readonly repaired: number;
}

/** The same readers, in the same order, for the same seed; a reader who comes later moves none of the others. */
export function drawSample(
  readers: readonly bigint[],
  seed: string,
  sample: number | null,
): readonly bigint[] {
  if (sample === null) return readers;
  const rank = (reader: bigint): string => createHash("sha256").update(`${seed} ${reader}`).digest("hex");
  return readers
    .map((reader) => ({ reader, rank: rank(reader) }))
    .sort((a, b) => (a.rank < b.rank ? -1 : 1))
    .slice(0, sample)
    .map(({ reader }) => reader);
}

/** Where an audit keeps how far it has come, so that another process goes on. */
export function openAuditProgress(
  file: string | undefined,
  { resume, sample }: { readonly resume: boolean; readonly sample: number | null },
): { readonly value: AuditProgress; set(change: Partial<AuditProgress>): void; remove(): void } {
  let value: AuditProgress = {
    seed: randomBytes(8).toString("hex"),
    sample,
    done: 0,
    pages: 0,
    differences: 0,
    repaired: 0,
  };
  if (resume && file !== undefined) value = JSON.parse(readFileSync(file, "utf8")) as AuditProgress;
  return {
    get value() {
      return value;
    },
    set(change) {
      value = { ...value, ...change };
      if (file === undefined) return;
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(`${file}.next`, JSON.stringify(value));
      renameSync(`${file}.next`, file);
    },
    remove() {
      if (file !== undefined) rmSync(file, { force: true });
    },
  };
}
