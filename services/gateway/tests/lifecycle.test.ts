import { writeFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { waitFor } from "@chirrup/testkit";
import { describe, expect, it } from "vitest";
import { buildDescriptors } from "./descriptors.ts";
import { holdPosts, startGateway } from "./gateway.ts";

describe("a gateway's life", () => {
  it("finishes what is in flight when it is told to stop, and takes nothing new", async () => {
    const gateway = await startGateway();
    const token = await gateway.issuer.token();
    const posts = holdPosts(gateway);
    const inFlight = gateway.ask("GET", "/api/v1/posts/1", { token });
    await waitFor(() => posts.asked() === 1);
    const stopped = gateway.stop();
    await waitFor(() =>
      fetch(`http://127.0.0.1:${gateway.port}/`).then(
        () => false,
        () => true,
      ),
    );
    posts.release();
    const { status, headers } = await inFlight;
    expect([status, headers.connection]).toEqual([200, "close"]);
    await stopped;
    await gateway[Symbol.asyncDispose]();
  });

  it("has its health on the admin port only", async () => {
    const gateway = await startGateway();
    for (const path of ["/healthz", "/readyz", "/metrics"]) {
      expect((await gateway.ask("GET", path)).status).toBe(404);
    }
    await gateway[Symbol.asyncDispose]();
  });

  it("logs one line for each request, without what is secret", async () => {
    const lines: string[] = [];
    const log = pino({ level: "debug" }, { write: (line: string) => void lines.push(line) });
    const gateway = await startGateway({ log });
    const token = await gateway.issuer.token(42n, 7n);
    lines.length = 0;
    await gateway.ask("GET", "/api/v1/feed?cursor=private-cursor", {
      token,
      headers: { "x-request-id": "r1" },
    });
    await gateway.ask("POST", "/api/v1/login", {
      body: { login: "private-login", password: "private-password" },
      headers: { cookie: "chirrup_access=private-cookie", origin: `http://127.0.0.1:${gateway.port}` },
    });
    await gateway.ask("GET", "/private-path");
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      {
        method: "GET",
        route: "GET /api/v1/feed",
        status: 200,
        requestId: "r1",
        userId: "42",
        ms: expect.any(Number),
      },
      { method: "POST", route: "POST /api/v1/login", status: 200 },
      { method: "GET", route: "", status: 404 },
    ]);
    expect(lines.join("")).not.toMatch(/private|token\.value|refresh-token|eyJ/);
    await gateway[Symbol.asyncDispose]();
  });
});

describe("what a gateway refuses to start with", () => {
  const upstreams = "upstreams: { chirrup.user.v1.UserService: 127.0.0.1:1 }";
  const cookie = (settings: string): string =>
    `${upstreams}\ncookies: { access: { name: a, path: /, secure: false, sameSite: Lax, maxAgeSeconds: 1, ${settings} } }`;

  it.each([
    ["a service without an upstream", { gatewayFile: cookie("") }, /refresh|no upstream/],
    [
      "a __Host- cookie that is not secure",
      { gatewayFile: cookie("name: __Host-a").replace("name: a, ", "") },
      /secure: true/,
    ],
    [
      "a __Host- cookie with a path",
      {
        gatewayFile: cookie("name: __Host-a, path: /x, secure: true").replace(
          "name: a, path: /, secure: false, ",
          "",
        ),
      },
      /path: \//,
    ],
    ["SameSite=None", { gatewayFile: cookie("sameSite: None").replace("sameSite: Lax, ", "") }, /sameSite/],
    ["a setting that nobody knows", { gatewayFile: `${upstreams}\ncookis: {}` }, /cookis/],
    [
      "a variable that is not set",
      { gatewayFile: "upstreams: { x: '${NOT_SET_ANYWHERE}' }" },
      /NOT_SET_ANYWHERE/,
    ],
    ["an origin with a path", { gatewayFile: `${upstreams}\norigins: ["https://a.example/"]` }, /origin/],
    ["a proxy that is no range", { gatewayFile: undefined, rates: "rules: {}" }, /rules/],
    [
      "a rule for a route that is not there",
      { rates: "rules: [{ name: a, key: [ip], match: { routes: [GET /x] }, limit: 9, window: 1s }]" },
      /GET \/x/,
    ],
    [
      "a rule that lets nobody in",
      { rates: "rules: [{ name: a, key: [ip], limit: 1, window: 1s }]" },
      /never lets/,
    ],
    [
      "a rule without an identity",
      { rates: "rules: [{ name: a, key: [route], limit: 9, window: 1s }]" },
      /ip or user/,
    ],
    [
      "a rule beyond exact numbers",
      { rates: "rules: [{ name: a, key: [ip], limit: 1000000000, window: 7d }]" },
      /exactly/,
    ],
    [
      "two rules of one name",
      {
        rates:
          "rules: [{ name: a, key: [ip], limit: 9, window: 1s }, { name: a, key: [ip], limit: 9, window: 1s }]",
      },
      /two rules/,
    ],
    ["descriptors that are none", { descriptors: "/dev/null/x" }, /DESCRIPTORS.*ENOTDIR/s],
  ])("%s", async (_, options, message) => {
    await expect(startGateway(options as object)).rejects.toThrow(message);
  });

  const proto = (rpcs: string): string => `
syntax = "proto3";
package bad.v1;
import "google/api/annotations.proto";
import "chirrup/gateway/v1/route.proto";
service BadService { ${rpcs} }
message M { int64 id = 1; repeated string names = 2; M inner = 3; }
`;

  it.each([
    [
      "two routes that match the same",
      `rpc A(M) returns (M) { option (google.api.http) = {get: "/v1/{id}"}; } rpc B(M) returns (M) { option (google.api.http) = {get: "/v1/*"}; }`,
      /same paths/,
    ],
    [
      "a stream of requests with a rule",
      `rpc A(stream M) returns (M) { option (google.api.http) = {get: "/v1/a"}; }`,
      /requests are a stream/,
    ],
    [
      "a path field that is not there",
      `rpc A(M) returns (M) { option (google.api.http) = {get: "/v1/{nope}"}; }`,
      /no field nope/,
    ],
    [
      "a path field that is a list",
      `rpc A(M) returns (M) { option (google.api.http) = {get: "/v1/{names}"}; }`,
      /single primitive/,
    ],
    [
      "a body field that is not there",
      `rpc A(M) returns (M) { option (google.api.http) = {post: "/v1/a" body: "nope"}; }`,
      /body names nope/,
    ],
    [
      "a response field that is not there",
      `rpc A(M) returns (M) { option (google.api.http) = {get: "/v1/a" response_body: "nope"}; }`,
      /response_body names nope/,
    ],
    [
      "a cookie that is not configured",
      `rpc A(M) returns (M) { option (google.api.http) = {get: "/v1/a"}; option (chirrup.gateway.v1.needs) = {clears_cookies: "nope"}; }`,
      /no cookie "nope"/,
    ],
    [
      "a cookie into a field that is no text",
      `rpc A(M) returns (M) { option (google.api.http) = {get: "/v1/a"}; option (chirrup.gateway.v1.needs) = {reads_cookies: {cookie: "access" field: "id"}}; }`,
      /no string field "id"/,
    ],
    [
      "a success that is none",
      `rpc A(M) returns (M) { option (google.api.http) = {get: "/v1/a"}; option (chirrup.gateway.v1.needs) = {success: {status: 404}}; }`,
      /404 is no status of a success/,
    ],
    [
      "a success of a stream",
      `rpc A(M) returns (stream M) { option (google.api.http) = {get: "/v1/a"}; option (chirrup.gateway.v1.needs) = {success: {status: 201}}; }`,
      /stream/,
    ],
    [
      "a location by a field that is not there",
      `rpc A(M) returns (M) { option (google.api.http) = {get: "/v1/a"}; option (chirrup.gateway.v1.needs) = {success: {status: 201 location: "/v1/{nope}"}}; }`,
      /no single primitive "nope"/,
    ],
    [
      "a location of many segments",
      `rpc A(M) returns (M) { option (google.api.http) = {get: "/v1/a"}; option (chirrup.gateway.v1.needs) = {success: {status: 201 location: "/v1/{id=**}"}}; }`,
      /one segment/,
    ],
    [
      "bindings within bindings",
      `rpc A(M) returns (M) { option (google.api.http) = {get: "/v1/a" additional_bindings {get: "/v1/b" additional_bindings {get: "/v1/c"}}}; }`,
      /nested/,
    ],
    [
      "a template that is none",
      `rpc A(M) returns (M) { option (google.api.http) = {get: "/v1/**/a"}; }`,
      /last segment/,
    ],
  ])("%s", async (_, rpcs, message) => {
    const folder = mkdtempSync(join(tmpdir(), "bad-proto-"));
    writeFileSync(join(folder, "bad.proto"), proto(rpcs));
    try {
      const { path, remove } = buildDescriptors(folder);
      await expect(startGateway({ descriptors: path })).rejects.toThrow(message);
      remove();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
