import { setStage } from "./stage.ts";

export interface Exactness {
  readonly requests: number;
  readonly seconds: number;
  readonly admitted: number;
  readonly denied: number;
  /** Requests by any other status. */
  readonly others: Readonly<Record<string, number>>;
  readonly burst: number;
  /** Burst and what came back in the time of the run: no more may be let in. */
  readonly most: number;
  /** Gateways that took a token of three minutes as their own clock says. */
  readonly taken: readonly boolean[];
}

const minuteMs = 60_000;
/** Of the four gateways' clocks, minutes apart from each other and from Redis's. */
export const skewsMs: readonly number[] = [-7 * minuteMs, -2 * minuteMs, 5 * minuteMs, 11 * minuteMs];
const clientsOfEach = 16;

/** Sends requests of one user to four gateways at once, and counts what they let in of the user's one bucket. */
export async function measureExactness(requests: number): Promise<Exactness> {
  const burst = Math.floor(requests / 4);
  const perMinute = Math.floor(requests / 20);
  await using stage = await setStage({
    skewsMs,
    rates: `rules: [{ name: user, key: [user], limit: ${perMinute}, window: 1m, burst: ${burst} }]`,
    // A machine under load must not change what is counted.
    redisDeadlineMs: 10_000,
    deadlineMs: 30_000,
  });
  const { issuer, clients } = stage;
  const now = Math.floor(Date.now() / 1_000);
  const short = await issuer.token(1n, 1n, { claims: { iat: now - 600, exp: now + 180 } });
  const taken = await Promise.all(
    clients.map(async (ask) => (await ask("GET", "/api/v1/me", { token: short })).status === 200),
  );

  const token = await issuer.token(2n, 2n, { claims: { exp: now + 24 * 3_600 } });
  const statuses = new Map<number, number>();
  let sent = 0;
  const startedMs = performance.now();
  await Promise.all(
    clients.flatMap((ask) =>
      Array.from({ length: clientsOfEach }, async () => {
        while (sent < requests) {
          sent += 1;
          const { status } = await ask("GET", "/api/v1/me", { token });
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
        }
      }),
    ),
  );
  const seconds = (performance.now() - startedMs) / 1_000;
  return {
    requests,
    seconds,
    admitted: statuses.get(200) ?? 0,
    denied: statuses.get(429) ?? 0,
    others: Object.fromEntries([...statuses].filter(([status]) => status !== 200 && status !== 429)),
    burst,
    // A millisecond is the bucket's unit of time: the first and the last may be begun ones.
    most: burst + Math.ceil(((seconds + 0.002) * perMinute) / 60),
    taken,
  };
}
