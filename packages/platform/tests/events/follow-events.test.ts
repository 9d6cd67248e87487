import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createMetrics, followEvents, openEventLog } from "@chirrup/platform";
import { freePort, startRedis } from "@chirrup/servers";
import { waitFor } from "@chirrup/testkit";
import { pino } from "pino";
import { expect, it } from "vitest";
import { numbered } from "./carrier.ts";
import { redisCarrier } from "./redis-carrier.ts";

it("follows events once the log is there, and has no number for the lag before and after", async () => {
  const folder = mkdtempSync(join(tmpdir(), "follow-events-"));
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  const errors: string[] = [];
  const log = pino({ level: "error" }, { write: (line: string) => void errors.push(line) });
  const stopping = new AbortController();
  const options = { log, signal: stopping.signal };
  const keys: string[] = [];

  const eventLog = openEventLog({ url, log, metrics: createMetrics({ service: "test" }) });
  const subscription = {
    group: "readers",
    topics: ["posts"],
    handle: ({ key }: { readonly key: string }) => Promise.resolve(void keys.push(key)),
  };
  const followed = followEvents(eventLog, subscription, options);
  expect(await followed.lag()).toBeNaN();

  const server = await startRedis({ dataDir: folder, logFile: join(folder, "redis.log"), port });
  const carrier = redisCarrier(url);
  await carrier.append([numbered("k0", 1)]);
  await waitFor(async () => (await followed.lag()) === 0);
  expect(keys).toEqual(["k0"]);

  await carrier.close();
  await server.stop();
  await waitFor(async () => Number.isNaN(await followed.lag()));

  // The wait of one more ends with the log, which is said unless the service stops.
  const late = followEvents(eventLog, { ...subscription, group: "late" }, options);
  stopping.abort();
  await eventLog.close();
  expect(await late.lag()).toBeNaN();
  expect(errors.filter((line) => line.includes("not followed"))).toEqual([]);
  rmSync(folder, { recursive: true });
});
