import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { waitFor } from "@chirrup/testkit";
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from "jose";
import { describe, expect, it } from "vitest";
import { sealingKey } from "../src/domain/sealing.ts";
import { generateSigningKey } from "../src/domain/signing-key.ts";
import { insertSigningKey } from "../src/store/signing-key.ts";
import { createDatabase, sessionOf, signUp, startInstance, startService } from "./user-service.ts";

const rotateKeys = fileURLToPath(new URL("../src/rotate-keys.ts", import.meta.url));

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
    const key = await generateSigningKey(sealingKey(secret, "signing keys"), service.clock.now());
    await insertSigningKey(service.postgres, key);
    await waitFor(async () => (await kidsAt(service.jwksUrl)).includes(key.kid), { what: "the new key" });
    const kidNow = async () => decodeProtectedHeader((await signUp(service.client)).accessToken).kid;
    expect(await kidNow()).not.toBe(key.kid);
    service.clock.advance(61_000);
    expect(await kidNow()).toBe(key.kid);
  });

  it("follow each other on schedule: the new signs after its time, the old stays until no token needs it", async () => {
    await using service = await startService({
      SIGNING_KEY_RELOAD_MS: "1000",
      SIGNING_KEY_MAX_AGE_S: "86400",
    });
    const { client, clock, jwksUrl } = service;
    const kidNow = async () => decodeProtectedHeader((await signUp(client)).accessToken).kid;
    const [first] = await kidsAt(jwksUrl);
    clock.advance(86_400_000);
    const kids = await waitFor(
      async () => {
        const both = await kidsAt(jwksUrl);
        return both.length === 2 ? both : undefined;
      },
      { what: "the second key" },
    );
    expect(kids).toContain(first);
    expect(await kidNow()).toBe(first);
    clock.advance(2_000);
    const second = await kidNow();
    expect(second).not.toBe(first);
    // A token of the first may live ten minutes; an hour is added for a process that fell behind.
    clock.advance(65 * 60_000);
    expect(await kidsAt(jwksUrl)).toHaveLength(2);
    clock.advance(10 * 60_000);
    await waitFor(async () => (await kidsAt(jwksUrl)).join() === second, {
      what: "the end of the first key",
    });
    expect(await kidNow()).toBe(second);
    const log = await service.postgres.query<{ kind: string }>({
      name: "test_key_events",
      text: "SELECT kind FROM security_events WHERE kind LIKE 'signing_key%' ORDER BY id",
    });
    expect(log.map(({ kind }) => kind)).toEqual([
      "signing_key_rotated",
      "signing_key_rotated",
      "signing_key_retired",
    ]);
  });

  it("are made once, though two instances find one due", async () => {
    await using service = await startService({ SIGNING_KEY_RELOAD_MS: "1000" });
    service.clock.advance(31 * 86_400_000);
    const env = { SIGNING_KEY_RELOAD_MS: "1000" };
    const options = { now: service.clock.now, env };
    await using stack = new AsyncDisposableStack();
    const instances = [1, 2].map(() => startInstance(service.databaseUrl, options));
    for (const instance of await Promise.all(instances)) stack.use(instance);
    await waitFor(async () => (await kidsAt(service.jwksUrl)).length > 1, { what: "another key" });
    expect(await kidsAt(service.jwksUrl)).toHaveLength(2);
  });

  it("are rotated by a command, which refuses another secret", async () => {
    await using service = await startService();
    const rotate = (secret: string) =>
      promisify(execFile)(process.execPath, ["-C", "source", rotateKeys], {
        env: { DATABASE_URL: service.databaseUrl, SIGNING_KEY_SECRET: secret, LOG_LEVEL: "silent" },
      });
    const { stdout } = await rotate("a secret of the tests, long enough for one");
    await waitFor(async () => (await kidsAt(service.jwksUrl)).includes(stdout.trim()), {
      what: "the new key",
    });
    await expect(rotate("another secret of the tests, as long as it")).rejects.toThrow("SIGNING_KEY_SECRET");
    expect(await kidsAt(service.jwksUrl)).toHaveLength(2);
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
