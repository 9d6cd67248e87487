/**
 * Shows that the tests find what they are for. Plants mistakes, one after another, in copies of the service, and plays
 * random histories to each until it is found; or runs the file of tests that is named for it.
 *
 *     npm run faults -w services/feed -- [--histories 3000] [--only <part of a name>] [--processes 2]
 *
 * Exit code 1 when a mistake is not found.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { type Fault, faults } from "./faults.ts";
import { plant, root } from "./plant.ts";

const { values } = parseArgs({
  options: {
    /** How many histories a mistake may survive. */
    histories: { type: "string", default: "3000" },
    only: { type: "string", default: "" },
    /** Copies that are tested at once. */
    processes: { type: "string", default: "2" },
  },
});

/** What vitest writes of its tests. */
interface Report {
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly status: string; readonly title: string }[];
  }[];
}

const wanted = faults.filter(({ name }) => name.includes(values.only));
const files = [...new Set(wanted.flatMap(({ test }) => test ?? []))];
const broken = files.length === 0 ? undefined : await inCopy(undefined, (copy) => failureOf(copy, files));
if (broken !== undefined) throw new Error(`without a mistake: ${broken}`);

const waiting = [...wanted];
const notFound: Fault[] = [];
await Promise.all(Array.from({ length: Number(values.processes) }, search));
process.stdout.write(`${wanted.length - notFound.length} of ${wanted.length} faults were found\n`);
if (notFound.length > 0) process.exitCode = 1;

async function search(): Promise<void> {
  for (let fault = waiting.shift(); fault !== undefined; fault = waiting.shift()) {
    const { name, test } = fault;
    const found = await inCopy(fault, (copy) =>
      test === undefined ? playTo(copy) : failureOf(copy, [test]),
    );
    if (found === undefined) notFound.push(fault);
    process.stdout.write(`${found === undefined ? "NOT FOUND" : "found"}: ${name}${found ?? ""}\n`);
  }
}

async function inCopy<T>(fault: Fault | undefined, work: (copy: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "chirrup-fault-"));
  try {
    return await work(plant(fault, folder));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** After how many histories it was found, in words; undefined when it was not. */
async function playTo(copy: string): Promise<string | undefined> {
  const program = join(copy, "tests", "histories", "main.ts");
  const limits = ["--histories", values.histories, "--processes", "1", "--no-shrink"];
  const { code, output } = await run("-C", "source", program, ...limits);
  if (code === 0) return undefined;
  const after = /^(\d+) histories, 1 fault/m.exec(output)?.[1];
  if (after === undefined) throw new Error(`the histories were not played: ${output.slice(0, 2_000)}`);
  return `, after ${after} histories`;
}

/** Which tests of some files failed, in words; undefined when none did. */
async function failureOf(copy: string, files: readonly string[]): Promise<string | undefined> {
  const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
  const folder = join(copy, "..", "..");
  const report = join(folder, "report.json");
  const settings = ["--root", folder, "--config", join(root, "vitest.config.ts")];
  const { code, output } = await run(
    vitest,
    "run",
    "--reporter",
    "json",
    "--outputFile",
    report,
    ...settings,
    ...files.map((file) => join(copy, file)),
  );
  if (code === 0) return undefined;
  if (!existsSync(report)) throw new Error(`the tests were not run: ${output.slice(0, 2_000)}`);
  const { testResults } = JSON.parse(readFileSync(report, "utf8")) as Report;
  const failed = testResults.flatMap(({ assertionResults }) =>
    assertionResults.flatMap(({ status, title }) => (status === "failed" ? [title] : [])),
  );
  if (failed.length === 0) throw new Error("the tests could not be run");
  return `, by "${failed.join('", "')}"`;
}

async function run(...args: string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "ignore"] });
  const [output] = await Promise.all([text(child.stdout), once(child, "exit")]);
  return { code: child.exitCode, output };
}
