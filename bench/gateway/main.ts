// CPU of a request through the gateway: signed in, three rate rules, one call to a service. Beside it, in the same run and in
// turns, a gateway written the usual way. `--quick` takes fewer requests and one concurrency.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, startRedis } from "@chirrup/servers";
import { median, report, type Figure } from "../report.ts";
import { runRound, type Round } from "./load.ts";
import { answers, createProcesses, root, startGateway } from "./processes.ts";
import { audience, issuer, issueTokens } from "./tokens.ts";

const quick = process.argv.includes("--quick");
const profile = process.argv.includes("--profile");
const requests = quick ? 3_000 : 20_000;
const rounds = quick ? 3 : 7;
const concurrencies = quick ? [64] : [1, 64, 512];
const aim = "at most 0.25";

const rates = `rules:
  - { name: address, key: [ip], limit: 100000000, window: 1m }
  - { name: user, key: [user], limit: 10000000, window: 1m }
  - { name: user-route, key: [user, route], limit: 1000000, window: 1m }
`;

const figures: Figure[] = [];

function add(name: string, unit: string, value: number, peerValue: number, aim: string): void {
  figures.push({ name, value, unit, peer: "fastify+grpc-js", peerValue, ratio: value / peerValue, aim });
}

const processes = createProcesses();
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
  const subjects = [
    { name: "ours", port: gatewayPort ?? 0, child: gateway },
    { name: "peer", port: usualPort ?? 0, child: usual },
  ] as const;
  const variants = [
    { name: "signed_in_get_cpu_us", path: "/api/v1/posts/7" },
    { name: "feed_page_cpu_us", path: "/api/v1/feed?page_size=20" },
  ];
  const [token = ""] = tokens.all;
  for (const { port, child } of subjects) {
    for (const { path } of variants) await answers(`http://127.0.0.1:${port}${path}`, token, child);
  }

  for (const concurrency of concurrencies) {
    const suffix = concurrency === 64 ? "" : `_c${concurrency}`;
    for (const { name, path } of variants) {
      const taken: Record<"ours" | "peer", Round[]> = { ours: [], peer: [] };
      // The first round warms both.
      for (let round = 0; round <= rounds; round += 1) {
        for (const subject of subjects) {
          const load = {
            port: subject.port,
            path,
            requests: round === 0 ? 3 * requests : requests,
            concurrency,
            tokens: tokens.all,
          };
          const measured = await runRound(subject.child.pid ?? 0, load);
          if (round > 0) taken[subject.name].push(measured);
        }
      }
      const of = (who: "ours" | "peer", pick: (round: Round) => number): number =>
        median(taken[who].map(pick));
      add(
        `${name}${suffix}`,
        "us",
        of("ours", (r) => r.cpuUs),
        of("peer", (r) => r.cpuUs),
        aim,
      );
      if (name === "signed_in_get_cpu_us") {
        add(
          `p50_ms${suffix}`,
          "ms",
          of("ours", (r) => r.p50Ms),
          of("peer", (r) => r.p50Ms),
          "",
        );
        add(
          `p99_ms${suffix}`,
          "ms",
          of("ours", (r) => r.p99Ms),
          of("peer", (r) => r.p99Ms),
          "",
        );
      }
    }
  }
  report("gateway", figures);
} finally {
  processes.end();
  await redis.stop();
  tokens.close();
  rmSync(folder, { recursive: true, force: true });
}
