/**
 * Shows that the property test finds what it is for: plays random histories to copies of the service, each with one
 * mistake in it, until the mistake is found.
 *
 *     node -C source services/feed/tests/faults/main.ts [--histories 3000] [--only <part of a name>] [--processes 2]
 *
 * Exit code 1 when a mistake is not found.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { type Fault, faults } from "./faults.ts";
import { plant } from "./plant.ts";

const { values } = parseArgs({
  options: {
    /** How many histories a mistake may survive. */
    histories: { type: "string", default: "3000" },
    only: { type: "string", default: "" },
    /** Copies that are played to at once. */
    processes: { type: "string", default: "2" },
  },
});

const wanted = faults.filter(({ name }) => name.includes(values.only));
const waiting = [...wanted];
const notFound: Fault[] = [];
await Promise.all(Array.from({ length: Number(values.processes) }, search));
process.stdout.write(`${wanted.length - notFound.length} of ${wanted.length} faults were found\n`);
if (notFound.length > 0) process.exitCode = 1;

async function search(): Promise<void> {
  for (let fault = waiting.shift(); fault !== undefined; fault = waiting.shift()) {
    const folder = mkdtempSync(join(tmpdir(), "chirrup-fault-"));
    try {
      const found = await playTo(plant(fault, folder));
      if (found === undefined) notFound.push(fault);
      process.stdout.write(`${found === undefined ? "NOT FOUND" : "found"}: ${fault.name}${found ?? ""}\n`);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}

/** After how many histories it was found, in words; undefined when it was not. */
async function playTo(tests: string): Promise<string | undefined> {
  const child = spawn(
    process.execPath,
    ["-C", "source", join(tests, "histories", "main.ts"), "--histories", values.histories, "--no-shrink"],
    { stdio: ["ignore", "pipe", "ignore"] },
  );
  const [output] = await Promise.all([text(child.stdout), once(child, "exit")]);
  if (child.exitCode === 0) return undefined;
  const after = /failed after (\d+) tests/.exec(output)?.[1];
  if (after === undefined) throw new Error(`the histories were not played: ${output.slice(0, 2_000)}`);
  return `, in history ${after}`;
}
