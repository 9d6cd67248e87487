import { waitFor } from "@chirrup/testkit";
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from "jose";
import { describe, expect, it } from "vitest";
import { generateSigningKey, sealingKey } from "../src/domain/signing-key.ts";
import { insertSigningKey } from "../src/store/signing-key.ts";
import { createDatabase, sessionOf, signUp, startInstance, startService } from "./user-service.ts";

interface KeySet {
  readonly keys: readonly { kid: string }[];
}

async function readKeySet(url: string): Promise<KeySet> {
  return (await (await fetch(url)).json()) as KeySet;
}

async function kidsAt(url: string): Promise<string[]> {
  return (await readKeySet(url)).keys.map(({ kid }) => kid);
}

describe("signing keys", () => {
  it("are one, though two instances start at once on an empty database", async () => {
    const url = await createDatabase();
    const instances = await Promise.all([startInstance(url), startInstance(url)]);
    await using stack = new AsyncDisposableStack();
    for (const instance of instances) stack.use(instance);
    const sets = await Promise.all(instances.map(({ jwksUrl }) => kidsAt(jwksUrl)));
    expect(sets[0]).toHaveLength(1);
    expect(sets[1]).toEqual(sets[0]);
  });

  it("sign tokens that verify against the published set, with all their claims", async () => {
    await using service = await startService();
    const { userId, accessToken } = await signUp(service.client);
    const response = await fetch(service.jwksUrl);
    expect(response.headers.get("cache-control")).toMatch(/^public, max-age=\d+/);
    expect(await response.text()).not.toContain('"d"');
    const { payload, protectedHeader } = await jwtVerify(
      accessToken,
      createRemoteJWKSet(new URL(service.jwksUrl)),
      { issuer: "https://chirrup.test", audience: "chirrup", algorithms: ["EdDSA"] },
    );
    expect(protectedHeader).toMatchObject({ alg: "EdDSA", kid: (await kidsAt(service.jwksUrl))[0] });
    expect(payload).toMatchObject({ sub: String(userId), sid: String(sessionOf(accessToken)) });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(600);
    expect(payload.jti).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("come into the set of every instance as soon as they are stored, and sign a while later", async () => {
    const secret = "a secret of the tests, long enough for one";
    await using service = await startService();
    const key = await generateSigningKey(sealingKey(secret), service.clock.now());
    await insertSigningKey(service.postgres, key);
    await waitFor(async () => (await kidsAt(service.jwksUrl)).includes(key.kid), { what: "the new key" });
    const kidNow = async () => decodeProtectedHeader((await signUp(service.client)).accessToken).kid;
    expect(await kidNow()).not.toBe(key.kid);
    service.clock.advance(61_000);
    expect(await kidNow()).toBe(key.kid);
  });

  it("are sealed: another secret does not open them, and the service does not start", async () => {
    await using service = await startService();
    const env = { SIGNING_KEY_SECRET: "another secret of the tests, as long as it" };
    await expect(startInstance(service.databaseUrl, { env })).rejects.toThrow("SIGNING_KEY_SECRET");
    const [row] = await service.postgres.query<{ sealed: Buffer }>({
      name: "test_sealed",
      text: "SELECT sealed_private_key AS sealed FROM signing_keys",
    });
    // The DER prefix of every Ed25519 private key (RFC 8410).
    expect(row?.sealed.includes(Buffer.from("302e020100300506032b6570", "hex"))).toBe(false);
  });
});
