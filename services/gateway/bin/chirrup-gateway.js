#!/usr/bin/env node
// Plain JavaScript that any Node from 20 runs; it goes on under the Node that the project pins.
/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-argument, typescript/no-unsafe-return */
import { spawn } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const own = join(dirname(realpathSync(fileURLToPath(import.meta.url))), "..");
const modules = join(own, "..", "..", "node_modules");
const pinned = join(modules, `node-${process.platform}-${process.arch}`, "bin", "node");
const node = existsSync(pinned) ? pinned : process.execPath;
const source = join(own, "src", "cli.ts");
const entry = existsSync(source) ? ["--conditions=source", source] : [join(own, "dist", "cli.js")];
const child = spawn(node, ["--disable-warning=ExperimentalWarning", ...entry, ...process.argv.slice(2)], {
  stdio: "inherit",
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => void child.kill(signal));
child.once("error", (error) => {
  process.stderr.write(`chirrup-gateway: cannot run ${node}: ${error.message}\n`);
  process.exitCode = 1;
});
child.once("exit", (code, signal) => {
  process.exitCode = code ?? 128 + (constants.signals[signal] ?? 0);
});
