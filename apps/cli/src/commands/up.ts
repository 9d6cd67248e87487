import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, rmSync, statSync } from "node:fs";
import { createLogger } from "@chirrup/platform";
import { ensureDemoUser, demoUsername } from "../launcher/demo-user.ts";
import { heaps, profiles, type UpOptions } from "../launcher/options.ts";
import { type Home, openHome } from "../launcher/paths.ts";
import { type Progress, startPlatform } from "../launcher/platform.ts";
import { readStatus, runningState } from "../launcher/status.ts";
import { paint, seconds } from "../terminal/print.ts";
import { wholeNumber } from "./whole-number.ts";

export interface UpFlags {
  readonly profile: string;
  readonly port: string;
  readonly detach?: boolean;
  readonly json?: boolean;
  readonly celebrityThreshold?: string;
  readonly brokers: string;
  readonly heap: string;
}

function oneOf<T extends string>(flag: string, value: string, names: readonly T[]): T {
  const known = names.find((name) => name === value);
  if (known === undefined) throw new Error(`${flag} must be ${names.join(" or ")}, not "${value}"`);
  return known;
}

function parseFlags(flags: UpFlags): UpOptions {
  return {
    profile: oneOf("--profile", flags.profile, profiles),
    heap: oneOf("--heap", flags.heap, heaps),
    brokers: wholeNumber("--brokers", flags.brokers, 1, 5),
    port: wholeNumber("--port", flags.port, 0, 65_535),
    celebrityThreshold:
      flags.celebrityThreshold === undefined
        ? undefined
        : wholeNumber("--celebrity-threshold", flags.celebrityThreshold, 1, 1_000_000_000),
  };
}

/** Of the longest name, postgres-follow-replica. */
const nameWidth = 23;

/** A line for each part as it becomes ready, and for what befalls it later. */
function createProgress(startedAt: number): Progress {
  const since = (): string => paint("dim", seconds(performance.now() - startedAt).padStart(7));
  const line = (mark: string, name: string, text: string): void =>
    void process.stdout.write(`${since()}  ${mark} ${name.padEnd(nameWidth)} ${text}\n`);
  return {
    step: (text) => line(paint("green", "✓"), "", text),
    warn: (name, text) => line(paint("yellow", "!"), name, text),
    part(part, note) {
      const { name, state, process: mark } = part.record();
      if (state === "ready") {
        const text = note ?? "ready";
        line(
          paint("green", "✓"),
          name,
          `${text} ${paint("dim", `${part.spec.url}  pid ${mark?.pid ?? "?"}`)}`,
        );
      } else if (state === "restarting" && note !== undefined) {
        line(paint("yellow", "!"), name, `${note}; starting it again (${part.spec.logFile})`);
      } else if (state === "failed") {
        line(paint("red", "✗"), name, "failed");
      }
    },
  };
}

/** The last lines of a log that may hold the reason. */
function tail(file: string, lines: number): string {
  if (!existsSync(file)) return "";
  return readFileSync(file, "utf8").trimEnd().split("\n").slice(-lines).join("\n");
}

function explainFailure(home: Home, error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`\n${paint("red", "chirrup: cannot start:", process.stderr)} ${message}\n`);
  const part = /^([a-z0-9-]+): /.exec(message)?.[1];
  const logFile = part === undefined ? undefined : home.logFile(part);
  if (logFile !== undefined && existsSync(logFile)) {
    process.stderr.write(`\nThe end of its log, ${logFile}:\n\n${tail(logFile, 12)}\n`);
  }
}

function untilStopped(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    // Not `once`: a second Ctrl-C while parts stop must not end this process before them.
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => resolve(signal));
  });
}

async function foreground(home: Home, options: UpOptions): Promise<void> {
  const startedAt = performance.now();
  const progress = createProgress(startedAt);
  const log = createLogger({ service: "launcher", level: "warn", format: "pretty" });
  const stopped = untilStopped();
  const abort = new AbortController();
  void stopped.then(() => abort.abort());
  process.stdout.write(`Starting Chirrup (${options.profile}) in ${home.dir}\n`);
  let platform;
  try {
    platform = await startPlatform(home, options, progress, log, abort.signal);
    await ensureDemoUser(platform.gatewayUrl, platform.secrets.demoPassword);
  } catch (error) {
    await platform?.stop();
    if (abort.signal.aborted) process.stdout.write("Stopped before it was ready.\n");
    else explainFailure(home, error);
    process.exitCode = 1;
    return;
  }
  const memoryMib = platform.memoryMib();
  const takes = memoryMib === undefined ? "" : `; ${platform.parts} parts take ${memoryMib} MiB of memory`;
  const bold = (text: string): string => paint("bold", text);
  process.stdout.write(`
Chirrup is ready after ${seconds(performance.now() - startedAt)}${takes}.

  API        ${bold(platform.gatewayUrl)}
  sign in    login ${bold(demoUsername)}  password ${bold(platform.secrets.demoPassword)}
  try        curl -s ${platform.gatewayUrl}/api/v1/login -H 'content-type: application/json' \\
               -d '{"login":"${demoUsername}","password":"${platform.secrets.demoPassword}"}'
  mails      ${platform.mailboxUrl}
  logs       ${home.logFile("<part>")}  (or: npx chirrup logs <part>)

Ctrl-C stops it and keeps the data.
`);
  const signal = await stopped;
  process.stdout.write(`\n${signal}: stopping …\n`);
  await platform.stop();
  process.stdout.write("All parts are stopped; the data is kept.\n");
}

/** Starts the launcher in a session of its own and shows its output until it is ready or has ended. */
async function detached(home: Home, args: readonly string[], asJson: boolean): Promise<void> {
  const out = asJson ? process.stderr : process.stdout;
  rmSync(home.launcherLog, { force: true });
  const log = openSync(home.launcherLog, "a", 0o600);
  const [entry] = process.argv.slice(1);
  if (entry === undefined) throw new Error("the command does not know its own file");
  const child = spawn(process.execPath, [...process.execArgv, entry, "up", ...args], {
    detached: true,
    stdio: ["ignore", log, log],
    env: { ...process.env, CHIRRUP_HOME: home.dir },
  });
  closeSync(log);
  let exitCode: number | null | undefined;
  child.once("exit", (code) => (exitCode = code ?? 1));
  let shown = 0;
  const show = (): void => {
    if (statSync(home.launcherLog).size <= shown) return;
    const text = readFileSync(home.launcherLog).subarray(shown);
    shown += text.length;
    out.write(text);
  };
  for (;;) {
    show();
    if (exitCode !== undefined) {
      show();
      process.exitCode = exitCode ?? 1;
      return;
    }
    const status =
      runningState(home)?.ready === true && readFileSync(home.launcherLog, "utf8").includes("Ctrl-C stops");
    if (status) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  show();
  child.unref();
  out.write("It runs in the background: npx chirrup down stops it.\n");
  if (asJson) process.stdout.write(`${JSON.stringify(await readStatus(home))}\n`);
}

/** `chirrup up`: starts the platform; with --detach returns when it is ready. Running already is no error. */
export async function up(flags: UpFlags): Promise<void> {
  const options = parseFlags(flags);
  const home = openHome();
  const state = runningState(home);
  if (state !== undefined) {
    if (flags.json === true) process.stdout.write(`${JSON.stringify(await readStatus(home))}\n`);
    else process.stdout.write(`Chirrup runs already: ${state.gatewayUrl} (npx chirrup status)\n`);
    return;
  }
  if (flags.detach !== true) return foreground(home, options);
  const args = [
    "--profile",
    options.profile,
    "--port",
    String(options.port),
    "--brokers",
    String(options.brokers),
    "--heap",
    options.heap,
  ];
  if (options.celebrityThreshold !== undefined) {
    args.push("--celebrity-threshold", String(options.celebrityThreshold));
  }
  return detached(home, args, flags.json === true);
}
