// CPU of a request through the gateway: signed in, three rate rules, one call to a service. Beside it, in the same run and in
// turns, a gateway written the usual way, Envoy (without the limits) and a grpc-gateway. `--quick` takes fewer requests.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, startRedis } from "@chirrup/servers";
import { median, report, type Figure } from "../report.ts";
import { runRound, type Round } from "./load.ts";
import { startPeers, type Peer } from "./peers/start.ts";
import { answers, createProcesses, root, startGateway } from "./processes.ts";
import { audience, issuer, issueTokens } from "./tokens.ts";

const quick = process.argv.includes("--quick");
const profile = process.argv.includes("--profile");
const requests = quick ? 5_000 : 20_000;
const warmUpRequests = 50_000;
const rounds = quick ? 3 : 7;
/** The first one's round of warming up serves the others, too. */
const concurrencies = [64, 1, 512];

const rates = `rules:
  - { name: address, key: [ip], limit: 100000000, window: 1m }
  - { name: user, key: [user], limit: 10000000, window: 1m }
  - { name: user-route, key: [user, route], limit: 1000000, window: 1m }
`;

const figures: Figure[] = [];

const usualName = "fastify+grpc-js";
/** Of the ratio of CPU times. */
const aims: Readonly<Record<string, string>> = {
  [usualName]: "at most 0.25",
  "grpc-gateway": "below 1",
  Envoy: "near 1",
};

const processes = createProcesses();
let peers: readonly Peer[] = [];
const folder = mkdtempSync(join(tmpdir(), "bench-gateway-"));
const tokens = await issueTokens(quick ? 2_000 : 10_000);
const redis = await startRedis({
  dataDir: join(folder, "redis"),
  port: await freePort(),
  logFile: join(folder, "redis.log"),
});
try {
  const [upstreamPort, gatewayPort, adminPort, usualPort] = await Promise.all(
    [1, 2, 3, 4].map(() => freePort()),
  );
  const upstream = `127.0.0.1:${upstreamPort}`;
  processes.start(["bench/gateway/upstream.ts", String(upstreamPort)]);
  writeFileSync(join(folder, "rates.yaml"), rates);
  const profiled = profile ? ["--cpu-prof", `--cpu-prof-dir=${join(root, "bench/results")}`] : [];
  const gateway = startGateway(processes, profiled, {
    HTTP_PORT: String(gatewayPort),
    ADMIN_PORT: String(adminPort),
    RATE_RULES: join(folder, "rates.yaml"),
    REDIS_URL: redis.url,
    JWKS_URL: tokens.jwksUrl,
    upstream,
  });
  const usual = processes.start([
    "bench/gateway/usual.ts",
    String(usualPort),
    upstream,
    redis.url,
    tokens.jwksUrl,
    issuer,
    audience,
  ]);
  peers = await startPeers({ upstreamPort: upstreamPort ?? 0, redisUrl: redis.url, jwksUrl: tokens.jwksUrl });
  const ours: Peer = { name: "ours", port: gatewayPort ?? 0, child: gateway };
  const others = [{ name: usualName, port: usualPort ?? 0, child: usual }, ...peers];
  const variants = [
    { name: "signed_in_get_cpu_us", path: "/api/v1/posts/7" },
    { name: "feed_page_cpu_us", path: "/api/v1/feed?page_size=20" },
  ];
  const [token = ""] = tokens.all;
  for (const { port, child } of [ours, ...others]) {
    for (const { path } of variants) await answers(`http://127.0.0.1:${port}${path}`, token, child);
  }

  for (const concurrency of concurrencies) {
    const suffix = concurrency === 64 ? "" : `_c${concurrency}`;
    for (const { name, path } of variants) {
      const taken = new Map<string, Round[]>();
      // The first round only warms up: it takes some 50,000 requests until a JIT has compiled what is hot.
      for (let round = 0; round <= rounds; round += 1) {
        for (const subject of [ours, ...others]) {
          const load = {
            port: subject.port,
            path,
            requests: round === 0 && concurrency === concurrencies[0] ? warmUpRequests : requests,
            concurrency,
            tokens: tokens.all,
          };
          const measured = await runRound(subject.child.pid ?? 0, load);
          if (round > 0) taken.set(subject.name, [...(taken.get(subject.name) ?? []), measured]);
        }
      }
      const of = (who: string, pick: (round: Round) => number): number =>
        median((taken.get(who) ?? []).map(pick));
      for (const { name: peer } of others) {
        const own = peer === usualName ? suffix : `${suffix}_${peer.toLowerCase().replace("-", "_")}`;
        const add = (figure: string, unit: string, pick: (round: Round) => number, aim: string): void => {
          const value = of("ours", pick);
          const peerValue = of(peer, pick);
          figures.push({ name: figure + own, value, unit, peer, peerValue, ratio: value / peerValue, aim });
        };
        add(name, "us", (round) => round.cpuUs, aims[peer] ?? "");
        if (name !== "signed_in_get_cpu_us") continue;
        add("p50_ms", "ms", (round) => round.p50Ms, "");
        add("p99_ms", "ms", (round) => round.p99Ms, "");
      }
    }
  }
  report("gateway", figures);
} finally {
  processes.end();
  for (const { child } of peers) child.kill();
  await redis.stop();
  tokens.close();
  rmSync(folder, { recursive: true, force: true });
}
