import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Fault } from "./faults.ts";

const service: string = fileURLToPath(new URL("../..", import.meta.url));
/** The folder of the repository. */
export const root: string = fileURLToPath(new URL("../../../..", import.meta.url));

/** The text of a file with the fault in it. Throws when its place is not there exactly once. */
export function faulty({ name, file, right, wrong }: Fault): string {
  const parts = readFileSync(join(service, file), "utf8").split(right);
  if (parts.length !== 2) throw new Error(`"${name}" has its place ${parts.length - 1} times in ${file}`);
  return parts.join(wrong);
}

/** Copies the service to a folder, with the fault, or without one. Answers where the service is in it. */
export function plant(fault: Fault | undefined, folder: string): string {
  const copy = join(folder, "services", "feed");
  mkdirSync(copy, { recursive: true });
  for (const part of ["node_modules", "packages"]) symlinkSync(join(root, part), join(folder, part));
  for (const part of ["src", "lua", "tests", "package.json"]) {
    cpSync(join(service, part), join(copy, part), { recursive: true });
  }
  if (fault !== undefined) writeFileSync(join(copy, fault.file), faulty(fault));
  return copy;
}
