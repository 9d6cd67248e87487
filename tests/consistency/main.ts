/**
 * Reads one's own writes through the gateway and the services while their replica is behind:
 *
 *     node -C source tests/consistency/main.ts [--pairs 10000] [--delay-ms 5000] [--forget]
 *
 * Prints one JSON object; exits with 1 when a read did not show its write. With `--forget` the caller keeps no consistency
 * token, and violations are what one wants to see. Needs a redis-server; starts all else itself.
 */
import { parseArgs } from "node:util";
import { writeAndRead } from "./pairs.ts";
import { setStage } from "./stage.ts";

const { values } = parseArgs({
  options: {
    pairs: { type: "string", default: "10000" },
    "delay-ms": { type: "string", default: "5000" },
    forget: { type: "boolean", default: false },
  },
});
const startedAt = performance.now();
await using stage = await setStage();
await stage.pair.delay(Number(values["delay-ms"]));
await stage.untilInRotation();
const outcome = await writeAndRead({
  gatewayUrl: stage.gatewayUrl,
  count: Number(values.pairs),
  keepsTokens: !values.forget,
  prefix: "pairs",
  progress: (done) => process.stderr.write(`${done} pairs\n`),
});
const reads: Record<string, Record<string, number>> = {};
for (const service of ["user", "follow", "post"] as const) {
  reads[service] = Object.fromEntries(await stage.readsOf(service));
}
const seconds = Math.round((performance.now() - startedAt) / 1_000);
process.stdout.write(`${JSON.stringify({ ...outcome, reads, seconds }, null, 2)}\n`);
if (outcome.violations > 0) process.exitCode = 1;
