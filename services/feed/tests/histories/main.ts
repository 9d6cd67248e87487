import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { freePort, startRedis } from "@chirrup/servers";
import { holdsForAnyHistory } from "./any-history.ts";

const { values } = parseArgs({
  options: {
    /** How many. */
    histories: { type: "string", default: "100000" },
    /** The same number gives the same ones. */
    seed: { type: "string" },
    /** Says of the first history that does not hold only that there is one. */
    "no-shrink": { type: "boolean", default: false },
  },
});

const folder = mkdtempSync(join(tmpdir(), "chirrup-histories-"));
const redis = await startRedis({ dataDir: folder, port: await freePort(), logFile: join(folder, "log") });
// Who ends this program ends its server.
process.once("exit", () => process.kill(redis.pid));
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
const startedMs = performance.now();
const histories = Number(values.histories);
try {
  await holdsForAnyHistory({
    redisUrl: redis.url,
    histories,
    shrinks: !values["no-shrink"],
    ...(values.seed === undefined ? {} : { seed: Number(values.seed) }),
    progress(played) {
      if (played % 1_000 === 0) process.stderr.write(`${played} histories\n`);
    },
  });
  const seconds = Math.round((performance.now() - startedMs) / 1_000);
  process.stdout.write(`${histories} histories in ${seconds} s: every page was the oracle's\n`);
} catch (error) {
  const { message, cause } = error instanceof Error ? error : { message: String(error), cause: undefined };
  process.stdout.write(`${message}\n${cause instanceof Error ? cause.message : ""}\n`);
  process.stdout.write(`The same again: --seed ${String(values.seed)}\n`);
  process.exitCode = 1;
} finally {
  process.removeAllListeners("exit");
  await redis.stop();
  rmSync(folder, { recursive: true, force: true });
}
