import { waitFor } from "@chirrup/testkit";
import { afterEach, describe, expect, it } from "vitest";
import { startGateway, startParts, type TestGateway } from "./gateway.ts";

describe("revoked sessions", () => {
  const open: AsyncDisposable[] = [];
  afterEach(async () => {
    for (const each of open.splice(0).toReversed()) await each[Symbol.asyncDispose]();
  });
  const opened = <T extends AsyncDisposable>(disposable: T): T => {
    open.push(disposable);
    return disposable;
  };

  const statusOf = async (gateway: TestGateway, token: string): Promise<number> =>
    (await gateway.ask("GET", "/api/v1/me", { token })).status;

  it("are refused within a second, and no others, without asking for each request", async () => {
    const gateway = opened(await startGateway());
    const revoked = await gateway.issuer.token(42n, 100n);
    const other = await gateway.issuer.token(42n, 101n);
    expect(await statusOf(gateway, revoked)).toBe(200);
    const startedMs = performance.now();
    gateway.services.sessions.revoke(100n);
    await waitFor(async () => (await statusOf(gateway, revoked)) === 401);
    expect(performance.now() - startedMs).toBeLessThan(1_000);
    expect(await statusOf(gateway, other)).toBe(200);
    expect(gateway.services.sessions.checks).toBe(0);
  });

  it("are known before the gateway is ready", async () => {
    const parts = opened(await startParts());
    parts.services.sessions.revoke(200n);
    parts.services.sessions.silent = true;
    const gateway = opened(await startGateway({ unready: true }, parts));
    await waitFor(() => gateway.readiness.report().checks["keys"] === "ok");
    expect(gateway.readiness.report()).toMatchObject({
      ready: false,
      checks: { revocations: "the snapshot has not come" },
    });
    parts.services.sessions.silent = false;
    await waitFor(() => gateway.readiness.report().ready);
    expect(await statusOf(gateway, await gateway.issuer.token(42n, 200n))).toBe(401);
  });

  it("are asked for one by one while the stream is silent, and nobody is let in when that fails", async () => {
    const gateway = opened(await startGateway());
    const { sessions } = gateway.services;
    const live = await gateway.issuer.token(42n, 300n);
    const ended = await gateway.issuer.token(42n, 301n);
    expect(await statusOf(gateway, live)).toBe(200);

    sessions.silent = true;
    sessions.ended.add(301n);
    await waitFor(async () => (await statusOf(gateway, ended)) === 401);
    expect(await statusOf(gateway, live)).toBe(200);
    expect(sessions.checks).toBeGreaterThan(0);

    sessions.checkFails = true;
    const answer = await gateway.ask("GET", "/api/v1/me", { token: live });
    expect(answer.status).toBe(503);
    expect(answer.headers["retry-after"]).toBe("1");
    expect(answer.text).not.toContain("10.1.2.3");
    const body = { login: "ada", password: "correct horse" };
    expect((await gateway.ask("POST", "/api/v1/login", { token: live, body })).status).toBe(200);

    sessions.checkFails = false;
    sessions.silent = false;
    const { checks } = sessions;
    await waitFor(async () => {
      const before = sessions.checks;
      return (await statusOf(gateway, live)) === 200 && sessions.checks === before;
    });
    expect(sessions.checks).toBeGreaterThanOrEqual(checks);
  });
});
