import { afterEach, describe, expect, it } from "vitest";
import { createHttpClient, type Answer } from "./http-client.ts";
import { startGateway, startParts } from "./gateway.ts";

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of open.splice(0).toReversed()) await each[Symbol.asyncDispose]();
});
const opened = <T extends AsyncDisposable>(disposable: T): T => {
  open.push(disposable);
  return disposable;
};

const count = (answers: readonly Answer[], status: number): number =>
  answers.filter((answer) => answer.status === status).length;

describe("rate limits", () => {
  it("are exact for 4 clients at 2 gateways", async () => {
    const parts = opened(await startParts());
    const rates = "rules: [{ name: user, key: [user], limit: 100, window: 1h }]";
    // Exact as long as Redis answers: on a busy machine that may take a while.
    const env = { REDIS_DEADLINE_MS: "2000" };
    const gateways = [
      opened(await startGateway({ rates, env }, parts)),
      opened(await startGateway({ rates, env }, parts)),
    ];
    const token = await parts.issuer.token(1n, 1n);
    const client = async (i: number): Promise<Answer[]> => {
      const ask = createHttpClient(gateways[i % 2]?.port ?? 0);
      const answers = await Promise.all(
        Array.from({ length: 60 }, () => ask("GET", "/api/v1/me", { token })),
      );
      ask.close();
      return answers;
    };
    const answers = (await Promise.all([0, 1, 2, 3].map(client))).flat();
    expect(count(answers, 200)).toBe(100);
    expect(count(answers, 429)).toBe(140);
    const other = await parts.issuer.token(2n, 2n);
    expect((await gateways[0]?.ask("GET", "/api/v1/me", { token: other }))?.status).toBe(200);
  });

  it("say what is left, and when to come again, in headers that agree", async () => {
    const rates = "rules: [{ name: address, key: [ip], limit: 12, window: 60s }]";
    const gateway = opened(await startGateway({ rates }));
    for (let i = 0; i < 10; i += 1) await gateway.ask("GET", "/nowhere");
    const answers = [];
    for (let i = 0; i < 3; i += 1) answers.push(await gateway.ask("GET", "/nowhere"));
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 429]);
    expect(answers.map(({ headers }) => headers["ratelimit-policy"])).toEqual(
      Array.from({ length: 3 }, () => '"address";q=12;w=60'),
    );
    expect(answers.map(({ headers }) => headers["ratelimit"])).toEqual([
      '"address";r=1;t=55',
      '"address";r=0;t=60',
      '"address";r=0;t=5',
    ]);
    const [, , denied] = answers;
    expect(denied?.headers["retry-after"]).toBe("5");
    expect(denied?.json()).toMatchObject({
      code: 8,
      details: expect.arrayContaining([
        { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "5s" },
      ]),
    });
  });

  it("let in a client that waits as long as it was told", async () => {
    const gateway = opened(
      await startGateway({ rates: "rules: [{ name: a, key: [ip], limit: 5, window: 5s }]" }),
    );
    for (let i = 0; i < 5; i += 1) await gateway.ask("GET", "/nowhere");
    const denied = await gateway.ask("GET", "/nowhere");
    expect(denied.status).toBe(429);
    await new Promise((resolve) => setTimeout(resolve, 1000 * Number(denied.headers["retry-after"])));
    expect((await gateway.ask("GET", "/nowhere")).status).toBe(404);
  });

  it("hold for an address before anything is verified", async () => {
    const rates = "rules: [{ name: address, match: { methods: [GET] }, key: [ip], limit: 3, window: 1h }]";
    const gateway = opened(await startGateway({ rates }));
    const fetches = gateway.issuer.fetches();
    const answers = [];
    for (let i = 0; i < 6; i += 1) {
      const token = await gateway.issuer.token(1n, 1n, { header: { kid: `unknown-${i}` } });
      answers.push(await gateway.ask("GET", "/api/v1/me", { token }));
    }
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 429, 429, 429]);
    expect(gateway.issuer.fetches() - fetches).toBeLessThanOrEqual(1);
  });

  it("count by route, method and cost, and only where they match", async () => {
    const rates = `
rules:
  - { name: sign-in, match: { routes: [POST /api/v1/login] }, key: [ip], limit: 10, window: 1h }
  - { name: write, match: { methods: [PUT, POST], signedIn: true }, key: [user, route], limit: 1, window: 1h }
  - { name: stranger, match: { signedIn: false, methods: [GET] }, key: [ip, method], limit: 3, window: 1h }
`.replace("limit: 1,", "limit: 1, burst: 5,");
    const gateway = opened(await startGateway({ rates }));
    const token = await gateway.issuer.token();
    const body = { login: "ada", password: "correct horse" };
    const statuses = async (n: number, one: () => Promise<Answer>): Promise<number[]> => {
      const all = [];
      for (let i = 0; i < n; i += 1) all.push((await one()).status);
      return all;
    };
    expect(await statuses(6, () => gateway.ask("PUT", "/api/v1/posts/1/like", { token }))).toEqual([
      200, 200, 200, 200, 200, 429,
    ]);
    expect(
      await statuses(1, () => gateway.ask("POST", "/api/v1/posts", { token, body: { content: "x" } })),
    ).toEqual([200]);
    expect(await statuses(3, () => gateway.ask("POST", "/api/v1/login", { token, body }))).toEqual([
      200, 429, 429,
    ]);
    expect(await statuses(4, () => gateway.ask("GET", "/api/v1/me"))).toEqual([401, 401, 401, 401]);
  });

  it("are spent in every bucket by a request that one denies", async () => {
    const rates = `
rules:
  - { name: narrow, match: { routes: [GET /api/v1/feed] }, key: [user, route], limit: 1, window: 1h }
  - { name: wide, match: { methods: [GET] }, key: [user], limit: 4, window: 1h }
`;
    const gateway = opened(await startGateway({ rates }));
    const token = await gateway.issuer.token();
    for (let i = 0; i < 3; i += 1) await gateway.ask("GET", "/api/v1/feed", { token });
    expect((await gateway.ask("GET", "/api/v1/me", { token })).status).toBe(200);
    expect((await gateway.ask("GET", "/api/v1/me", { token })).status).toBe(429);
  });

  it("see the client behind a trusted proxy, and only there", async () => {
    const rates =
      "rules: [{ name: address, match: { routes: [GET /api/v1/me] }, key: [ip], limit: 1, window: 1h }]";
    const gatewayFile = `
upstreams: { chirrup.user.v1.UserService: "\${USER_SERVICE}", chirrup.post.v1.PostService: "\${POST_SERVICE}", chirrup.follow.v1.FollowService: "\${FOLLOW_SERVICE}", chirrup.feed.v1.FeedService: "\${FEED_SERVICE}" }
cookies: { access: { name: a, path: /, secure: false, sameSite: Lax, maxAgeSeconds: 1 }, refresh: { name: r, path: /, secure: false, sameSite: Lax, maxAgeSeconds: 1 } }
trustedProxies: ["127.0.0.0/8, 10.0.0.0/8"]
`;
    const proxied = opened(await startGateway({ rates, gatewayFile }));
    const from = async (forwardedFor: string): Promise<number> =>
      (await proxied.ask("GET", "/api/v1/me", { headers: { "x-forwarded-for": forwardedFor } })).status;
    expect(await from("203.0.113.1")).toBe(401);
    expect(await from("203.0.113.2")).toBe(401);
    expect(await from("198.51.100.9, 203.0.113.1")).toBe(429);
    expect(await from("203.0.113.1, 10.1.2.3")).toBe(429);
    expect(await from("2001:db8:1:2:3::4")).toBe(401);
    expect(await from("2001:db8:1:2:ffff::5")).toBe(429);
    expect(await from("2001:db8:1:3::4")).toBe(401);

    const direct = opened(await startGateway({ rates }));
    const spoofed = async (forwardedFor: string): Promise<number> =>
      (await direct.ask("GET", "/api/v1/me", { headers: { "x-forwarded-for": forwardedFor } })).status;
    expect(await spoofed("203.0.113.1")).toBe(401);
    expect(await spoofed("203.0.113.2")).toBe(429);
  });
});
