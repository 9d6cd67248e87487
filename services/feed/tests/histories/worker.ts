/** Plays parts of a run of histories, several at once, in the databases of one Redis. Started by main.ts. */
import process from "node:process";
import { holdsForAnyHistory } from "./any-history.ts";

/** Some histories that are played one after another. */
export interface Part {
  readonly number: number;
  readonly histories: number;
  readonly seed: number;
  readonly shrinks: boolean;
  /** The logical database. */
  readonly database: number;
}

/** What is said of a part: a history of it holds, all do, or one does not, and why. */
export type Report = { readonly database: number } & (
  | { readonly is: "played" | "done" }
  | { readonly is: "fault"; readonly why: string }
);

const [redisUrl = ""] = process.argv.slice(2);
const report = (what: Report): void => void process.send?.(what);

async function play({ database, ...part }: Part): Promise<void> {
  const played = (): void => report({ database, is: "played" });
  try {
    await holdsForAnyHistory({ ...part, redisUrl: `${redisUrl}/${database}`, played });
    report({ database, is: "done" });
  } catch (error) {
    report({ database, is: "fault", why: inWords(error) });
  }
}

function inWords(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}\n${error.cause.message}` : error.message;
}

process.on("message", (part: Part) => void play(part));
