/**
 * From a post's acknowledgement to its place in a follower's home feed, at a steady rate, by each carrier of events in turn:
 *
 *     node -C source bench/visible/main.ts [--quick]
 *
 * Starts a platform of each profile and stops it again; prints a table and writes bench/results/visible.json.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Figure, median, report } from "../report.ts";

interface Seeded {
  readonly visibleMsP50: number;
  readonly visibleMsP99: number;
}

const quick = process.argv.includes("--quick");
const rounds = quick ? 1 : 3;
const posts = quick ? 500 : 3_000;
const postsPerSecond = 50;
const profiles = ["full", "embedded"] as const;
const program = fileURLToPath(new URL("../../apps/cli/bin/chirrup.js", import.meta.url));
const execute = promisify(execFile);

/** Seeds a platform of its own, at the same rate whatever the profile. */
async function seed(profile: (typeof profiles)[number], round: number): Promise<Seeded> {
  const home = mkdtempSync(join(tmpdir(), `chirrup-visible-${profile}-`));
  const chirrup = async (...args: string[]): Promise<string> => {
    const env = { ...process.env, CHIRRUP_HOME: home };
    return (await execute(process.execPath, [program, ...args], { env })).stdout;
  };
  try {
    await chirrup("up", "--profile", profile, "--port", "0", "--detach");
    const amount = ["--posts", String(posts), "--rate", String(postsPerSecond)];
    return JSON.parse(await chirrup("seed", ...amount, "--random-seed", String(round), "--json")) as Seeded;
  } finally {
    await chirrup("down");
    rmSync(home, { recursive: true, force: true });
  }
}

const runs: Record<(typeof profiles)[number], Seeded[]> = { full: [], embedded: [] };
for (let round = 1; round <= rounds; round += 1) {
  for (const profile of profiles) {
    const run = await seed(profile, round);
    process.stderr.write(`${profile}: p50 ${run.visibleMsP50} ms, p99 ${run.visibleMsP99} ms\n`);
    runs[profile].push(run);
  }
}

function figure(name: string, of: keyof Seeded, aim: string): Figure {
  const [value, peerValue] = profiles.map((profile) => median(runs[profile].map((run) => run[of])));
  if (value === undefined || peerValue === undefined) throw new Error("nothing was measured");
  return { name, value, unit: "ms", peer: "embedded", peerValue, ratio: value / peerValue, aim };
}
report("visible", [
  figure("visible_ms_p50", "visibleMsP50", ""),
  figure("visible_ms_p99", "visibleMsP99", "below 500 ms; embedded below 100 ms"),
]);
