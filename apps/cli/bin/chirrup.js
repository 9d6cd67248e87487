#!/usr/bin/env node
// The way in. Any Node from 20 runs this file on a fresh clone: it installs what is missing from npm's
// registry, makes the code of the protos, and goes on under the Node that the project pins.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(realpathSync(fileURLToPath(import.meta.url))), "..", "..", "..");
const modules = join(root, "node_modules");
const generatedMark = join(root, "proto", "gen", ".inputs");
const [command, ...rest] = process.argv.slice(2);
const json = rest.includes("--json");

const say = (text) => process.stderr.write(`${text}\n`);
const hashOf = (...parts) => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part).update("\0");
  return hash.digest("hex");
};
const read = (file) => (existsSync(file) ? readFileSync(file, "utf8").trim() : "");

/** Whether node_modules holds what the lock file says: npm writes down what it has installed when it is done. */
function installed() {
  const file = join(modules, ".package-lock.json");
  if (!existsSync(file)) return false;
  const wanted = JSON.parse(read(join(root, "package-lock.json"))).packages;
  const present = JSON.parse(read(file)).packages;
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.startsWith("node_modules/")) return true;
    const found = present[path];
    return found === undefined
      ? entry.optional === true
      : entry.link === true || found.version === entry.version;
  });
}

function protoHash() {
  const folder = join(root, "proto");
  const inputs = readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => /\.(proto|yaml)$/.test(name) && !/^(gen|dist|node_modules)\b/.test(name))
    .sort();
  return hashOf(
    read(join(root, "package-lock.json")),
    ...inputs.flatMap((name) => [name, readFileSync(join(folder, name))]),
  );
}

function pinnedNode() {
  const pinned = join(modules, `node-${process.platform}-${process.arch}`, "bin", "node");
  if (existsSync(pinned)) return pinned;
  // npm has no Node of this version for every platform (macOS on ARM); a recent one of the user's will do.
  if (Number(process.versions.node.split(".")[0]) >= 24) return process.execPath;
  say(
    `chirrup: npm has no Node 26 for ${process.platform}-${process.arch}, and this is Node ${process.versions.node}.`,
  );
  say("chirrup: install Node 24 or later and try again.");
  process.exit(1);
}

function run(what, program, args, options = {}) {
  const started = Date.now();
  say(`chirrup: ${what} …`);
  const result = spawnSync(program, args, {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
    ...options,
  });
  if (result.status !== 0) {
    say([result.stdout, result.stderr, result.error?.message].filter(Boolean).join("\n").trim());
    say(`chirrup: ${what}: failed. The text above is ${program}'s own.`);
    process.exit(1);
  }
  say(`chirrup: ${what}: done in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

function install() {
  const npm = process.env.npm_execpath?.endsWith("npm-cli.js")
    ? [process.execPath, process.env.npm_execpath]
    : [process.platform === "win32" ? "npm.cmd" : "npm"];
  // Not `ci`: it refuses a lock that lacks an optional package of another platform, and a registry need not
  // have them all. With --no-save the lock is followed and left as it is.
  // --include=dev: NODE_ENV=production in somebody's shell must not take the tools of the build away.
  const args = [
    ...npm.slice(1),
    "install",
    "--no-save",
    "--include=dev",
    "--include=optional",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
  ];
  run("installing npm packages (the pinned Node and Postgres among them)", npm[0], args);
}

function generate() {
  const bin = join(modules, ".bin");
  const env = { ...process.env, PATH: `${dirname(pinnedNode())}:${bin}:${process.env.PATH}` };
  const buf = join(bin, "buf");
  const options = { cwd: join(root, "proto"), env };
  run("making TypeScript from the protos", buf, ["generate"], options);
  run(
    "making the descriptor set",
    buf,
    ["build", "--as-file-descriptor-set", "-o", "gen/chirrup.binpb"],
    options,
  );
  writeFileSync(generatedMark, protoHash());
}

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

/** Two commands that start on a fresh clone at once must not install over each other. */
function alone(work) {
  const lock = join(root, ".chirrup", "setup.lock");
  mkdirSync(dirname(lock), { recursive: true });
  for (let told = false; ;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: "wx" });
      break;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
      const holder = Number(read(lock));
      if (holder > 0 && !isRunning(holder)) rmSync(lock, { force: true });
      else if (!told) {
        told = true;
        say("chirrup: waiting for another chirrup that installs …");
      }
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
    }
  }
  process.once("exit", () => rmSync(lock, { force: true }));
  work();
  rmSync(lock, { force: true });
}

const generated = () =>
  existsSync(join(root, "proto", "gen", "chirrup.binpb")) && read(generatedMark) === protoHash();

if (!installed() || !generated()) {
  if (command === "status" && !existsSync(join(root, ".chirrup", "state.json"))) {
    // Asking must stay quick: nothing can run where nothing is installed.
    process.stdout.write(json ? '{"ready":false}\n' : "nothing runs\n");
    process.exit(1);
  }
  alone(() => {
    if (!installed()) install();
    if (!generated()) generate();
  });
}

const node = pinnedNode();
const main = join(root, "apps", "cli", "src", "main.ts");
const child = spawn(
  node,
  ["--conditions=source", "--disable-warning=ExperimentalWarning", main, ...process.argv.slice(2)],
  {
    stdio: "inherit",
    env: {
      ...process.env,
      // npm scripts and tools that are started from here find the pinned Node and the project's tools first.
      PATH: `${dirname(node)}:${join(modules, ".bin")}:${process.env.PATH}`,
      NODE_COMPILE_CACHE: join(root, ".chirrup", "cache", "compile"),
    },
  },
);
// Ctrl-C reaches the whole group; a signal for this process alone is passed on. The child sees a repeat of
// the same signal as one.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.once("error", (error) => {
  say(`chirrup: cannot run ${node}: ${error.message}`);
  process.exitCode = 1;
});
child.once("exit", (code, signal) => {
  process.exitCode = code ?? 128 + (constants.signals[signal] ?? 0);
});
