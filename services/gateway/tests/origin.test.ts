import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startGateway, type TestGateway } from "./gateway.ts";

const gatewayFile = `
upstreams:
  chirrup.user.v1.UserService: \${USER_SERVICE}
  chirrup.post.v1.PostService: \${POST_SERVICE}
  chirrup.follow.v1.FollowService: \${FOLLOW_SERVICE}
  chirrup.feed.v1.FeedService: \${FEED_SERVICE}
cookies:
  access: { name: __Host-access, path: /, secure: true, sameSite: Lax, maxAgeSeconds: 600 }
  refresh: { name: __Secure-refresh, path: /api/v1/refresh, secure: true, sameSite: Strict, maxAgeSeconds: 2592000 }
origins: ["https://chirrup.example"]
`;

const own = "https://chirrup.example";
const evil = "https://evil.example";
const credentials = { login: "ada", password: "correct horse" };

describe("proof of origin", () => {
  let gateway: TestGateway;
  let cookie: string;
  beforeAll(async () => {
    gateway = await startGateway({ gatewayFile });
    cookie = `__Host-access=${await gateway.issuer.token()}`;
  });
  afterAll(() => gateway[Symbol.asyncDispose]());

  describe.each<[string, Record<string, string>, { write: number; read: number; login: number }]>([
    ["no header", {}, { write: 403, read: 200, login: 200 }],
    ["own origin", { origin: own }, { write: 200, read: 200, login: 200 }],
    [
      "own origin, same-origin",
      { origin: own, "sec-fetch-site": "same-origin" },
      { write: 200, read: 200, login: 200 },
    ],
    ["same-origin alone", { "sec-fetch-site": "same-origin" }, { write: 200, read: 200, login: 200 }],
    ["evil origin", { origin: evil }, { write: 403, read: 200, login: 403 }],
    [
      "evil origin that claims same-origin",
      { origin: evil, "sec-fetch-site": "same-origin" },
      { write: 403, read: 200, login: 403 },
    ],
    [
      "evil origin, cross-site",
      { origin: evil, "sec-fetch-site": "cross-site" },
      { write: 403, read: 200, login: 403 },
    ],
    ["own origin by plain HTTP", { origin: "http://chirrup.example" }, { write: 403, read: 200, login: 403 }],
    ["own origin on another port", { origin: `${own}:8443` }, { write: 403, read: 200, login: 403 }],
    [
      "an origin that begins as the own one",
      { origin: `${own}.evil.example` },
      { write: 403, read: 200, login: 403 },
    ],
    ["a sandboxed frame", { origin: "null" }, { write: 403, read: 200, login: 403 }],
    ["an empty origin", { origin: "" }, { write: 403, read: 200, login: 403 }],
    ["cross-site alone", { "sec-fetch-site": "cross-site" }, { write: 403, read: 200, login: 403 }],
    ["same-site alone", { "sec-fetch-site": "same-site" }, { write: 403, read: 200, login: 403 }],
    ["typed by the user", { "sec-fetch-site": "none" }, { write: 403, read: 200, login: 403 }],
    ["a site of no known kind", { "sec-fetch-site": "Same-Origin" }, { write: 403, read: 200, login: 403 }],
    ["an origin that is the host", { origin: "https://127.0.0.1" }, { write: 403, read: 200, login: 403 }],
  ])("with %s", (_, headers, expected) => {
    it("holds for a state change by cookie", async () => {
      const answer = await gateway.ask("POST", "/api/v1/posts", {
        headers: { ...headers, cookie },
        body: { content: "x" },
      });
      expect(answer.status).toBe(expected.write);
    });
    it("holds for every method that changes state", async () => {
      const answer = await gateway.ask("PUT", "/api/v1/posts/1/like", { headers: { ...headers, cookie } });
      expect(answer.status).toBe(expected.write);
    });
    it("holds for logout, which is public", async () => {
      const answer = await gateway.ask("POST", "/api/v1/logout", { headers: { ...headers, cookie } });
      expect(answer.status).toBe(expected.write);
    });
    it("holds for a refresh by cookie", async () => {
      const refresh = { ...headers, cookie: "__Secure-refresh=token" };
      const answer = await gateway.ask("POST", "/api/v1/refresh", { headers: refresh });
      expect(answer.status).toBe(expected.write);
    });
    it("is not asked of a read", async () => {
      expect((await gateway.ask("GET", "/api/v1/me", { headers: { ...headers, cookie } })).status).toBe(
        expected.read,
      );
    });
    it("is not asked of a state change by header", async () => {
      const token = await gateway.issuer.token();
      const answer = await gateway.ask("POST", "/api/v1/posts", { token, headers, body: { content: "x" } });
      expect(answer.status).toBe(200);
    });
    it("holds for a browser's sign-in without any cookie", async () => {
      expect((await gateway.ask("POST", "/api/v1/login", { headers, body: credentials })).status).toBe(
        expected.login,
      );
    });
  });

  it("is PERMISSION_DENIED when it is missing", async () => {
    const { json } = await gateway.ask("POST", "/api/v1/posts", {
      headers: { cookie },
      body: { content: "x" },
    });
    expect(json()).toMatchObject({
      code: 7,
      details: expect.arrayContaining([expect.objectContaining({ reason: "ORIGIN_NOT_ALLOWED" })]),
    });
  });

  it("refuses two origins in one request", async () => {
    const answer = await gateway.ask("POST", "/api/v1/posts", {
      headers: { cookie, origin: [own, evil] },
      body: { content: "x" },
    });
    expect(answer.status).toBe(400);
  });

  it("takes the request's host for an own origin only where it is told to", async () => {
    const local = await startGateway();
    const { port } = local;
    const headers = { cookie: `chirrup_access=${await local.issuer.token()}` };
    const statusFrom = async (origin: string): Promise<number> =>
      (await local.ask("POST", "/api/v1/posts", { headers: { ...headers, origin }, body: { content: "x" } }))
        .status;
    expect(await statusFrom(`http://127.0.0.1:${port}`)).toBe(200);
    expect(await statusFrom("http://127.0.0.1:1")).toBe(403);
    expect(await statusFrom("http://localhost:3000")).toBe(403);
    await local[Symbol.asyncDispose]();
  });
});

describe("cookies", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway({ gatewayFile });
  });
  afterAll(() => gateway[Symbol.asyncDispose]());

  const access = "__Host-access=access.token.value; Path=/; Max-Age=600; HttpOnly; SameSite=Lax; Secure";
  const refresh =
    "__Secure-refresh=refresh-token-value; Path=/api/v1/refresh; Max-Age=2592000; HttpOnly; SameSite=Strict; Secure";

  it("gives a program the tokens and the cookies", async () => {
    const { headers, json } = await gateway.ask("POST", "/api/v1/login", { body: credentials });
    expect(headers["set-cookie"]).toEqual([access, refresh]);
    expect(json()).toMatchObject({
      accessToken: "access.token.value",
      refreshToken: "refresh-token-value",
      expiresIn: 600,
    });
  });

  it.each(["login", "register", "refresh"])(
    "gives a browser the cookies and no token at %s",
    async (route) => {
      const body = {
        login: credentials,
        register: { username: "ada", email: "ada@example.com", password: "correct horse" },
        refresh: { refreshToken: "x" },
      }[route];
      const { status, headers, text } = await gateway.ask("POST", `/api/v1/${route}`, {
        headers: { origin: own },
        body,
      });
      expect(status).toBe(200);
      expect(headers["set-cookie"]).toEqual([access, refresh]);
      expect(text).not.toContain("token.value");
      expect(text).not.toContain("refresh-token-value");
      expect(JSON.parse(text)).toMatchObject({ accessToken: "", refreshToken: "" });
    },
  );

  it("fills the refresh token from the cookie when the body has none", async () => {
    const headers = { origin: own, cookie: "a=b; __Secure-refresh=from-cookie; c=d" };
    await gateway.ask("POST", "/api/v1/refresh", { headers });
    expect(gateway.services.seen.at(-1)?.request).toMatchObject({ refreshToken: "from-cookie" });
    await gateway.ask("POST", "/api/v1/refresh", { headers, body: { refreshToken: "from-body" } });
    expect(gateway.services.seen.at(-1)?.request).toMatchObject({ refreshToken: "from-body" });
  });

  it("clears the cookies at logout, which goes by the access token's session", async () => {
    const headers = { origin: own, cookie: `__Host-access=${await gateway.issuer.token(42n, 9n)}` };
    const answer = await gateway.ask("POST", "/api/v1/logout", { headers });
    expect(answer.status).toBe(200);
    expect(answer.headers["set-cookie"]).toEqual([
      "__Host-access=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure",
      "__Secure-refresh=; Path=/api/v1/refresh; Max-Age=0; HttpOnly; SameSite=Strict; Secure",
    ]);
    expect(gateway.services.seen.at(-1)?.call.caller?.sessionId).toBe(9n);
  });

  it("does not choose between two cookies of one name", async () => {
    const good = await gateway.issuer.token();
    for (const cookie of [
      `__Host-access=${good}; __Host-access=x`,
      `__Host-access=x; __Host-access=${good}`,
    ]) {
      expect((await gateway.ask("GET", "/api/v1/me", { headers: { cookie } })).status).toBe(401);
    }
    const split = { cookie: [`__Host-access=${good}`, "__Host-access=x"] };
    expect((await gateway.ask("GET", "/api/v1/me", { headers: split })).status).toBe(401);
    const twice = { origin: own, cookie: "__Secure-refresh=a; __Secure-refresh=b" };
    expect((await gateway.ask("POST", "/api/v1/refresh", { headers: twice })).status).toBe(400);
  });

  it.each(["", '"quoted"', "a b", "x".repeat(5000), "=", "%00"])(
    "refuses the cookie value %j",
    async (value) => {
      const headers = { cookie: `__Host-access=${value}` };
      expect((await gateway.ask("GET", "/api/v1/me", { headers })).status).toBe(401);
    },
  );

  it("does not take a cookie whose name only ends or begins as ours", async () => {
    const good = await gateway.issuer.token();
    for (const name of ["x__Host-access", "__Host-access2", "__host-access", "access"]) {
      expect(
        (await gateway.ask("GET", "/api/v1/me", { headers: { cookie: `${name}=${good}` } })).status,
      ).toBe(401);
    }
  });
});
