/**
 * Counts what gateways with skewed clocks let in of one bucket, and how long requests take while Redis is killed and
 * comes back:
 *
 *     npm run limits -w services/gateway -- [--requests 100000] [--deadline-ms 1000]
 *
 * Prints a line for each; exits with 1 when more was let in than burst and refill allow, or a request waited longer
 * than its deadline. Needs a redis-server; starts all else itself.
 */
import { parseArgs } from "node:util";
import { measureExactness, skewsMs } from "./exactness.ts";
import { measureOutage, type Waits } from "./outage.ts";

const { values } = parseArgs({
  options: {
    requests: { type: "string", default: "100000" },
    "deadline-ms": { type: "string", default: "1000" },
  },
});
const requests = Number(values.requests);

const exact = await measureExactness(requests);
const isExact = exact.admitted >= exact.burst && exact.admitted <= exact.most;
const minutes = skewsMs.map((ms) => `${ms < 0 ? "" : "+"}${ms / 60_000}`).join(", ");
process.stdout.write(
  `4 gateways, clocks off by ${minutes} min (a token of 3 min: ${exact.taken.map((yes) => (yes ? "taken" : "expired")).join(", ")}); ` +
    `${requests} requests in ${exact.seconds.toFixed(1)} s: ${exact.admitted} let in, at most ${exact.most} ` +
    `(burst ${exact.burst}), ${exact.denied} denied, others ${JSON.stringify(exact.others)}: ${isExact ? "exact" : "WRONG"}\n`,
);

const outage = await measureOutage({
  requests: Math.ceil(requests / 20),
  deadlineMs: Number(values["deadline-ms"]),
});
const parts = [outage.before, outage.without, outage.after];
const isInTime = parts.every(({ maxMs }) => maxMs <= outage.deadlineMs);
const said = ({ requests: count, p50Ms, p99Ms, maxMs }: Waits): string =>
  `${count} requests p50 ${p50Ms.toFixed(1)} p99 ${p99Ms.toFixed(1)} max ${maxMs.toFixed(1)} ms`;
process.stdout.write(
  `Redis killed under load: before ${said(outage.before)}; without ${said(outage.without)}; back ${said(outage.after)}; ` +
    `statuses ${JSON.stringify(outage.statuses)}; deadline ${outage.deadlineMs} ms: ${isInTime ? "kept" : "BROKEN"}\n`,
);
if (!isExact || !isInTime) process.exitCode = 1;
