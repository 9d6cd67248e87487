import { createHmac } from "node:crypto";
import { exportSPKI, importJWK, type CryptoKey } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startGateway, type TestGateway } from "./gateway.ts";
import { makeKey } from "./issuer.ts";

describe("who may call", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway[Symbol.asyncDispose]());

  const statusWith = async (token: string): Promise<number> =>
    (await gateway.ask("GET", "/api/v1/me", { token })).status;

  const unsigned = (header: object, claims: object): string =>
    [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");

  const goodClaims = (): object => ({
    iss: "https://issuer.test",
    aud: "chirrup-test",
    sub: "42",
    sid: "7",
    exp: Math.floor(Date.now() / 1000) + 600,
  });

  it("lets in a good token and tells the service who it is", async () => {
    const token = await gateway.issuer.token(42n, 7n);
    const { status } = await gateway.ask("GET", "/api/v1/me", { token });
    expect(status).toBe(200);
    const { call } = gateway.services.seen.at(-1) ?? {};
    expect(call?.caller).toEqual({ userId: 42n, sessionId: 7n });
  });

  it("asks for a token where there is none", async () => {
    const { status, headers, json } = await gateway.ask("GET", "/api/v1/me");
    expect(status).toBe(401);
    expect(headers["www-authenticate"]).toBe('Bearer realm="chirrup"');
    expect(json().code).toBe(16);
  });

  it("says that a bad token is bad", async () => {
    const { status, headers } = await gateway.ask("GET", "/api/v1/me", { token: "junk" });
    expect(status).toBe(401);
    expect(headers["www-authenticate"]).toContain('error="invalid_token"');
  });

  it.each([
    ["expired", { claims: { exp: Math.floor(Date.now() / 1000) - 1 } }],
    ["of another audience", { claims: { aud: "another" } }],
    ["of another issuer", { claims: { iss: "https://another.test" } }],
    ["not valid yet", { claims: { nbf: Math.floor(Date.now() / 1000) + 600 } }],
    ["without an end", { omit: ["exp"] }],
    ["without a session", { omit: ["sid"] }],
    ["without a user", { omit: ["sub"] }],
    ["without an audience", { omit: ["aud"] }],
    ["without an issuer", { omit: ["iss"] }],
    ["of a user that is no id", { claims: { sub: "ada" } }],
    ["of a user beyond 63 bits", { claims: { sub: "9223372036854775808" } }],
    ["of a negative user", { claims: { sub: "-1" } }],
    ["of a session that is a number", { claims: { sid: 7 } }],
    ["of another type", { header: { typ: "refresh+jwt" } }],
    ["without a type", { header: { typ: undefined } }],
    ["without a key id", { header: { kid: undefined } }],
    ["of an unknown key id", { header: { kid: "key-2" } }],
    ["of a key id that is a path", { header: { kid: "../../../../dev/null" } }],
    ["of a key id that is a prototype's", { header: { kid: "__proto__" } }],
    ["of a key id that is too long", { header: { kid: "k".repeat(5000) } }],
    ["with an extension that nobody knows", { header: { crit: ["exp"], exp: 1 } }],
  ])("refuses one %s", async (_, options) => {
    expect(await statusWith(await gateway.issuer.token(42n, 7n, options).catch(() => "junk"))).toBe(401);
  });

  it("refuses a token without a signature, in all spellings", async () => {
    for (const alg of ["none", "None", "NONE", "nOnE", ""]) {
      const text = unsigned({ alg, typ: "JWT", kid: "key-1" }, goodClaims());
      expect(await statusWith(`${text}.`)).toBe(401);
      expect(await statusWith(text)).toBe(401);
    }
  });

  it("refuses a public key that is used as the secret of an HMAC", async () => {
    const key = (await importJWK(gateway.issuer.key.publicJwk, "EdDSA", { extractable: true })) as CryptoKey;
    const secrets = [
      await exportSPKI(key),
      Buffer.from(gateway.issuer.key.publicJwk.x ?? "", "base64url"),
      JSON.stringify(gateway.issuer.key.publicJwk),
    ];
    for (const secret of secrets) {
      const text = unsigned({ alg: "HS256", typ: "JWT", kid: "key-1" }, goodClaims());
      expect(
        await statusWith(`${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`),
      ).toBe(401);
    }
  });

  it("refuses a key that the token brings along", async () => {
    const stranger = await makeKey("key-1");
    for (const header of [
      { jwk: stranger.publicJwk },
      { jku: gateway.issuer.url },
      { x5u: gateway.issuer.url },
    ]) {
      expect(await statusWith(await gateway.issuer.token(42n, 7n, { key: stranger, header }))).toBe(401);
    }
  });

  it("refuses a good signature by an algorithm that is not the key's", async () => {
    const text = unsigned({ alg: "ES256", typ: "JWT", kid: "key-1" }, goodClaims());
    const forged = await makeKey("other", "ES256");
    const { privateKey } = forged;
    const signature = Buffer.from(
      await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, privateKey, Buffer.from(text)),
    ).toString("base64url");
    expect(await statusWith(`${text}.${signature}`)).toBe(401);
  });

  it("refuses a token whose content was changed", async () => {
    const [head = "", body = "", signature = ""] = (await gateway.issuer.token(42n, 7n)).split(".");
    const claims = JSON.parse(Buffer.from(body, "base64url").toString()) as object;
    const other = Buffer.from(JSON.stringify({ ...claims, sub: "43" })).toString("base64url");
    expect(await statusWith(`${head}.${other}.${signature}`)).toBe(401);
  });

  it("takes ES256 from a key of that kind, and a new key at its first use", async () => {
    const key = await makeKey("key-3", "ES256");
    gateway.issuer.keys = [gateway.issuer.key.publicJwk, key.publicJwk];
    await expect
      .poll(async () => statusWith(await gateway.issuer.token(42n, 7n, { key })), { timeout: 10_000 })
      .toBe(200);
  });

  it("does not fetch the keys for each unknown key id", async () => {
    const before = gateway.issuer.fetches();
    for (let i = 0; i < 50; i += 1) {
      await statusWith(await gateway.issuer.token(42n, 7n, { header: { kid: `unknown-${i}` } }));
    }
    expect(gateway.issuer.fetches() - before).toBeLessThanOrEqual(1);
  });

  it("goes on with the keys it has when the issuer is away", async () => {
    gateway.issuer.status = 500;
    await statusWith(await gateway.issuer.token(42n, 7n, { header: { kid: "unknown" } }));
    expect(await statusWith(await gateway.issuer.token(43n, 8n))).toBe(200);
    gateway.issuer.status = 200;
  });

  it("does not trust an identity in headers, query or body", async () => {
    const token = await gateway.issuer.token(42n, 7n);
    const headers = {
      "chirrup-user-id": "1",
      "chirrup-session-id": "1",
      "chirrup-peer-secret": "x",
      "x-user-id": "1",
    };
    await gateway.ask("GET", "/api/v1/me", { token, headers });
    const { call } = gateway.services.seen.at(-1) ?? {};
    expect(call?.caller).toEqual({ userId: 42n, sessionId: 7n });
    expect((await gateway.ask("GET", "/api/v1/me?user_id=1", { token })).status).toBe(400);
    expect((await gateway.ask("PATCH", "/api/v1/me", { token, body: { userId: "1" } })).status).toBe(400);
  });

  it("treats a bad token on a public route as none", async () => {
    const body = { login: "ada", password: "correct horse" };
    const { status } = await gateway.ask("POST", "/api/v1/login", { token: "junk", body });
    expect(status).toBe(200);
    expect(gateway.services.seen.at(-1)?.call.caller).toBeUndefined();
  });

  it("takes the header before the cookie, and does not fall back", async () => {
    const good = await gateway.issuer.token(42n, 7n);
    const other = await gateway.issuer.token(43n, 8n);
    const cookie = `chirrup_access=${good}`;
    await gateway.ask("GET", "/api/v1/me", { token: other, headers: { cookie } });
    expect(gateway.services.seen.at(-1)?.call.caller?.userId).toBe(43n);
    expect((await gateway.ask("GET", "/api/v1/me", { token: "junk", headers: { cookie } })).status).toBe(401);
    const basic = { authorization: "Basic YTpi", cookie };
    expect((await gateway.ask("GET", "/api/v1/me", { headers: basic })).status).toBe(401);
  });
});
