import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { expect, it } from "vitest";
import { memoryOfTreesMib } from "./memory.ts";

const hold = (then: string): string =>
  `globalThis.held = Buffer.alloc(64 << 20, 1); ${then}; setInterval(() => {}, 1000);`;

it.skipIf(!existsSync("/proc/self/smaps_rollup"))("counts a process and its children", async () => {
  const grandchild = hold("console.log('held')");
  const child = spawn(process.execPath, [
    "-e",
    hold(
      `process.once("SIGTERM", () => { below.kill("SIGKILL"); process.exit(); });
       const below = require("child_process").spawn(process.execPath, ["-e", ${JSON.stringify(grandchild)}], { detached: true });
       below.stdout.pipe(process.stdout)`,
    ),
  ]);
  try {
    await once(child.stdout, "data");
    const mib = memoryOfTreesMib([child.pid ?? 0]);
    expect(mib).toBeGreaterThan(2 * 64);
    expect(mib).toBeLessThan(512);
    expect(memoryOfTreesMib([])).toBeUndefined();
  } finally {
    child.kill();
    await once(child, "exit");
  }
});
