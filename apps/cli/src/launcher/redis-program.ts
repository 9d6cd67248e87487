import { spawnSync } from "node:child_process";
import { findRedisServer } from "@chirrup/servers";

interface PackageManager {
  readonly program: string;
  readonly needsRoot: boolean;
  readonly commands: readonly (readonly string[])[];
  readonly hint: string;
}

const packageManagers: readonly PackageManager[] = [
  {
    program: "apt-get",
    needsRoot: true,
    commands: [
      ["update", "-qq"],
      ["install", "-y", "-qq", "--no-install-recommends", "redis-server"],
    ],
    hint: "sudo apt-get install redis-server",
  },
  {
    program: "dnf",
    needsRoot: true,
    commands: [["install", "-y", "valkey"]],
    hint: "sudo dnf install valkey",
  },
  { program: "apk", needsRoot: true, commands: [["add", "valkey"]], hint: "sudo apk add valkey" },
  { program: "brew", needsRoot: false, commands: [["install", "valkey"]], hint: "brew install valkey" },
];

function exists(program: string): boolean {
  return spawnSync("which", [program], { stdio: "ignore" }).status === 0;
}

/**
 * Makes sure that the machine has a Redis or Valkey server: no npm package ships one. Installs it when the
 * system's package manager may be used; otherwise the error says the one line to type.
 */
export function ensureRedisProgram(say: (text: string) => void): void {
  if (findRedisServer() !== undefined) return;
  const manager = packageManagers.find(({ program }) => exists(program));
  if (manager === undefined) {
    throw new Error(
      "Redis is missing. Install redis-server or valkey-server (version 7 or later) and try again.",
    );
  }
  if (manager.needsRoot && process.getuid?.() !== 0) {
    throw new Error(`Redis is missing. Type this and try again:\n\n    ${manager.hint}\n`);
  }
  say(`installing Redis with ${manager.program}`);
  for (const args of manager.commands) {
    const { status, stderr } = spawnSync(manager.program, args, {
      stdio: ["ignore", "ignore", "pipe"],
      encoding: "utf8",
      // At runlevel 1 the package does not start a server of its own on the default port.
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" },
    });
    if (status !== 0) {
      throw new Error(
        `${manager.program} ${args.join(" ")} failed:\n${stderr.trim()}\nType: ${manager.hint}`,
      );
    }
  }
  if (findRedisServer() === undefined) throw new Error(`Redis is still missing. Type: ${manager.hint}`);
}
