// Counts what four gateways let in of one bucket: never more than burst + what came back meanwhile.
// 100,000 requests, or 8,000 with `--quick`. Exits with 1 when it is more, or much less.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, startRedis } from "@chirrup/servers";
import { answers, createProcesses, startGateway } from "./processes.ts";
import { issueTokens } from "./tokens.ts";

const quick = process.argv.includes("--quick");
const requests = quick ? 8_000 : 100_000;
const gateways = 4;
/** At most a third of the requests may pass. */
const burst = Math.floor(requests / 4);
const perMinute = Math.floor(requests / 20);

const processes = createProcesses();
const folder = mkdtempSync(join(tmpdir(), "bench-limits-"));
const tokens = await issueTokens(2);
const [token = "", other = ""] = tokens.all;
const redis = await startRedis({
  dataDir: join(folder, "redis"),
  port: await freePort(),
  logFile: join(folder, "redis.log"),
});
try {
  writeFileSync(
    join(folder, "rates.yaml"),
    `rules: [{ name: user, key: [user], limit: ${perMinute}, window: 1m, burst: ${burst} }]`,
  );
  const upstream = `127.0.0.1:${await freePort()}`;
  processes.start(["bench/gateway/upstream.ts", upstream.split(":")[1] ?? ""]);
  const ports = await Promise.all(
    Array.from({ length: gateways }, async () => {
      const port = await freePort();
      const child = startGateway(processes, [], {
        HTTP_PORT: String(port),
        ADMIN_PORT: String(await freePort()),
        RATE_RULES: join(folder, "rates.yaml"),
        REDIS_URL: redis.url,
        JWKS_URL: tokens.jwksUrl,
        upstream,
      });
      await answers(`http://127.0.0.1:${port}/api/v1/posts/7`, other, child);
      return port;
    }),
  );

  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  const statuses = new Map<number, number>();
  let sent = 0;
  const startedMs = performance.now();
  const client = async (port: number): Promise<void> => {
    while (sent < requests) {
      sent += 1;
      const status = await ask(agent, port);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  await Promise.all(ports.flatMap((port) => Array.from({ length: 16 }, () => client(port))));
  const seconds = (performance.now() - startedMs) / 1_000;
  agent.destroy();
  const admitted = statuses.get(200) ?? 0;
  // A millisecond is the bucket's unit of time: the first and the last may be begun ones.
  const most = burst + Math.ceil(((seconds + 0.002) * perMinute) / 60);
  const least = burst;
  const isExact = admitted <= most && admitted >= least && admitted + (statuses.get(429) ?? 0) === requests;
  process.stdout.write(
    `${gateways} gateways, ${requests} requests in ${seconds.toFixed(1)} s: ${admitted} let in; burst ${burst}, at most ${most}; ${JSON.stringify(Object.fromEntries(statuses))}: ${isExact ? "exact" : "WRONG"}\n`,
  );
  if (!isExact) process.exitCode = 1;
} finally {
  processes.end();
  await redis.stop();
  tokens.close();
  rmSync(folder, { recursive: true, force: true });
}

function ask(agent: Agent, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}` };
    const request = get({ agent, port, path: "/api/v1/posts/7", headers, host: "127.0.0.1" }, (response) => {
      response.resume();
      response.once("end", () => resolve(response.statusCode ?? 0));
    });
    request.once("error", reject);
  });
}
