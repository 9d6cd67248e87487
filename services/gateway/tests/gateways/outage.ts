import { setStage } from "./stage.ts";

/** Of the requests of one part of the run. */
export interface Waits {
  readonly requests: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export interface Outage {
  readonly deadlineMs: number;
  readonly statuses: Readonly<Record<string, number>>;
  readonly before: Waits;
  readonly without: Waits;
  readonly after: Waits;
}

const clients = 32;

/** Kills Redis under load, brings it back, and measures how long requests took all the while. */
export async function measureOutage(options: {
  /** Of each part: before, without and after. */
  readonly requests: number;
  readonly deadlineMs: number;
}): Promise<Outage> {
  const { requests, deadlineMs } = options;
  await using stage = await setStage({
    skewsMs: [0, 0],
    rates:
      "rules: [{ name: user, key: [user], limit: 1000000, window: 1m }, { name: address, key: [ip], limit: 1000000, window: 1m }]",
    redisDeadlineMs: 20,
    deadlineMs,
  });
  const token = await stage.issuer.token();
  const statuses: Record<string, number> = {};
  let waits: number[] = [];
  const over = new AbortController();
  const load = Promise.all(
    Array.from({ length: clients }, async (_, i) => {
      const ask = stage.clients[i % stage.clients.length];
      while (!over.signal.aborted && ask !== undefined) {
        const startedMs = performance.now();
        const { status } = await ask("GET", "/api/v1/me", { token });
        waits.push(performance.now() - startedMs);
        statuses[status] = (statuses[status] ?? 0) + 1;
      }
    }),
  );
  const part = async (): Promise<Waits> => {
    waits = [];
    while (waits.length < requests) await new Promise((resolve) => setTimeout(resolve, 10));
    const sorted = waits.toSorted((a, b) => a - b);
    const at = (share: number): number =>
      sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
    return { requests: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
  };
  const before = await part();
  process.kill(stage.redis.pid, "SIGKILL");
  const without = await part();
  await stage.redis.exited;
  stage.redis = await stage.startRedis();
  const after = await part();
  over.abort();
  await load;
  return { deadlineMs, statuses, before, without, after };
}
