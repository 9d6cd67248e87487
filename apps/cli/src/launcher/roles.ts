import { readFileSync, renameSync, writeFileSync } from "node:fs";
import type { DatabaseName } from "./databases.ts";
import type { Home } from "./paths.ts";

/** The two servers of a pair by their parts' names. Which is the primary changes with each promotion. */
export const pairOf = (service: DatabaseName): readonly [string, string] => [
  `postgres-${service}`,
  `postgres-${service}-replica`,
];

const fileOf = (home: Home, service: DatabaseName): string =>
  `${home.dataDir(`postgres-${service}`)}.primary`;

/**
 * Which part of a pair is the primary. Kept in a file beside the data, because after a promotion the data of both servers look
 * like a primary's, and only one may be started as such.
 */
export function readPrimary(home: Home, service: DatabaseName): string {
  const pair = pairOf(service);
  try {
    const name = readFileSync(fileOf(home, service), "utf8").trim();
    return pair.find((part) => part === name) ?? pair[0];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return pair[0];
  }
}

export function writePrimary(home: Home, service: DatabaseName, part: string): void {
  const file = fileOf(home, service);
  writeFileSync(`${file}.next`, `${part}\n`, { mode: 0o600 });
  renameSync(`${file}.next`, file);
}
