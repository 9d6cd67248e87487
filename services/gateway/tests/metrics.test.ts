import { waitFor } from "@chirrup/testkit";
import { get } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startGateway, type TestGateway } from "./gateway.ts";

describe("metrics", () => {
  let gateway: TestGateway;
  let token: string;
  beforeAll(async () => {
    gateway = await startGateway({
      rates: `
rules:
  - { name: user, match: { methods: [GET] }, key: [user], limit: 3, window: 1h }
  - { name: trial, match: { methods: [GET] }, key: [user], limit: 1, window: 1h, dryRun: true }
`,
    });
    token = await gateway.issuer.token();
  });
  afterAll(() => gateway[Symbol.asyncDispose]());

  /** The value of a series whose labels are among those. */
  const valueOf = async (name: string, labels: Record<string, string>): Promise<number> => {
    const text = await gateway.metrics.registry.metrics();
    const line = text
      .split("\n")
      .find(
        (each) =>
          each.startsWith(`${name}{`) &&
          Object.entries(labels).every(([key, value]) => each.includes(`${key}="${value}"`)),
      );
    return Number(line?.split("} ")[1] ?? 0);
  };
  const requests = (route: string, status: number): Promise<number> =>
    valueOf("chirrup_gateway_request_seconds_count", { route, status: String(status) });

  it("count requests by route and status, decisions of the limiter, and the time of Redis and the services", async () => {
    for (let i = 0; i < 4; i += 1) await gateway.ask("GET", "/api/v1/me", { token });
    await gateway.ask("GET", "/nowhere/at/all");
    expect(await requests("GET /api/v1/me", 200)).toBe(3);
    expect(await requests("GET /api/v1/me", 429)).toBe(1);
    expect(await requests("", 404)).toBe(1);
    expect(await valueOf("chirrup_gateway_rate_limited_total", { rule: "user" })).toBe(1);
    expect(await valueOf("chirrup_gateway_rate_dry_run_denials_total", { rule: "trial" })).toBe(3);
    expect(await valueOf("chirrup_gateway_rate_redis_seconds_count", {})).toBe(4);
    const upstream = "chirrup.user.v1.UserService";
    expect(await valueOf("chirrup_gateway_upstream_seconds_count", { upstream })).toBe(3);
    expect(await valueOf("chirrup_gateway_reloads_total", { outcome: "served" })).toBe(1);
  });

  it("count a client that left as 499", async () => {
    let hasBegun = false;
    gateway.services.getPost = (_, call) => {
      hasBegun = true;
      return new Promise((resolve) => call.signal.addEventListener("abort", () => resolve({})));
    };
    const other = await gateway.issuer.token(9n, 9n);
    const request = get({
      port: gateway.port,
      path: "/api/v1/posts/1",
      headers: { authorization: `Bearer ${other}` },
    });
    request.on("error", () => undefined);
    await waitFor(() => hasBegun);
    request.destroy();
    await waitFor(async () => (await requests("GET /api/v1/posts/{post_id}", 499)) === 1);
    expect(await requests("GET /api/v1/posts/{post_id}", 200)).toBe(0);
  });

  it("do not name what a client sent: an idempotency key goes to the service alone", async () => {
    const sender = await gateway.issuer.token(10n, 10n);
    const headers = { "idempotency-key": "key-of-a-client" };
    await gateway.ask("POST", "/api/v1/posts", { token: sender, body: { content: "x" }, headers });
    expect(gateway.services.seen.at(-1)?.call.idempotencyKey).toBe("key-of-a-client");
    expect(await gateway.metrics.registry.metrics()).not.toContain("key-of-a-client");
  });
});
