import { testLog } from "@chirrup/testkit";
import { afterEach, describe, expect, it } from "vitest";

import {
  createMetrics,
  createReadiness,
  startAdminServer,
  type AdminRoute,
  type AdminServer,
} from "../../src/index.ts";

let admin: AdminServer | undefined;
afterEach(async () => admin?.close());

async function serve(routes: Record<string, AdminRoute> = {}) {
  const readiness = createReadiness();
  const metrics = createMetrics({ service: "test" });
  admin = await startAdminServer({ host: "127.0.0.1", port: 0, readiness, metrics, log: testLog(), routes });
  const { port } = admin;
  return {
    readiness,
    metrics,
    get: (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${port}${path}`, init),
  };
}

describe("the admin server", () => {
  it("is healthy at once, and ready when every check is", async () => {
    const { readiness, get } = await serve();
    let away: string | undefined = "connecting";
    readiness.add("postgres", () => away);
    readiness.add("broken", () => {
      throw new Error("hunter2");
    });
    expect((await get("/healthz")).status).toBe(200);
    const unready = await get("/readyz");
    expect(unready.status).toBe(503);
    expect(await unready.json()).toEqual({
      ready: false,
      checks: { postgres: "connecting", broken: "the check itself failed" },
    });
    away = undefined;
    readiness.set("broken", undefined);
    const ready = await get("/readyz?verbose");
    expect(ready.status).toBe(200);
    expect(await ready.json()).toEqual({ ready: true, checks: { postgres: "ok", broken: "ok" } });
  });

  it("serves the metrics", async () => {
    const { metrics, get } = await serve();
    metrics.counter({ name: "posts_total", help: "Posts.", labels: ["kind"] }).inc({ kind: "new" });
    metrics.counter({ name: "posts_total", help: "Posts.", labels: ["kind"] }).inc({ kind: "new" });
    const response = await get("/metrics");
    expect(response.headers.get("content-type")).toContain("text/plain");
    expect(await response.text()).toContain('posts_total{kind="new",service="test"} 2');
  });

  it("serves routes of its own, hides their errors, knows no other path or method", async () => {
    const { get } = await serve({
      "/jwks.json": (_, response) => void response.end("{}"),
      "/broken": async () => {
        throw new Error("hunter2");
      },
    });
    expect(await (await get("/jwks.json")).text()).toBe("{}");
    const broken = await get("/broken");
    expect([broken.status, await broken.json()]).toEqual([500, { error: "internal error" }]);
    expect((await get("/nowhere")).status).toBe(404);
    expect((await get("/healthz", { method: "POST" })).status).toBe(405);
  });
});
