import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { peerTls, servePeerRoutes, type PeerTls } from "@chirrup/platform";
import { createAuthority, testLog, type Authority } from "@chirrup/testkit";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createKeySet, type KeySet } from "../src/identity/key-set.ts";
import { makeKey, type SigningPair } from "./issuer.ts";

const path = "/.well-known/jwks.json";
const closers: (() => void | Promise<void>)[] = [];
let root = "";
let ours: Authority;
let theirs: Authority;
let key: SigningPair;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "gateway-keys-"));
  ours = createAuthority(join(root, "ours"));
  theirs = createAuthority(join(root, "theirs"));
  key = await makeKey("key-1");
});
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function tlsOf(name: string, authority: Authority): PeerTls {
  const folder = join(root, name);
  authority.issueTo(folder);
  const stopping = new AbortController();
  closers.push(() => stopping.abort());
  const tls = peerTls({ folder, log: testLog(), signal: stopping.signal, everyMs: 3_600_000 });
  if (tls === undefined) throw new Error("there is a folder, and no TLS");
  return tls;
}

async function serveKeys(tls: PeerTls): Promise<string> {
  const server = await servePeerRoutes({
    host: "localhost",
    port: 0,
    tls,
    log: testLog(),
    routes: {
      [path]: (_, response) => void response.end(JSON.stringify({ keys: [key.publicJwk] })),
    },
  });
  closers.push(() => server.close());
  return `https://localhost:${server.port}${path}`;
}

async function fetched(url: string, tls?: PeerTls): Promise<KeySet> {
  const keys = createKeySet({ url, tls: tls?.client, log: testLog() });
  await keys.refresh();
  return keys;
}

describe("the key set of a peer", () => {
  it("is fetched by mutual TLS", async () => {
    const keys = await fetched(await serveKeys(tlsOf("server", ours)), tlsOf("gateway", ours));
    await expect(keys.get("key-1")).resolves.toMatchObject({ algorithm: "EdDSA" });
  });

  it("is not believed from a server of another authority", async () => {
    const keys = await fetched(await serveKeys(tlsOf("forger", theirs)), tlsOf("gateway", ours));
    expect(keys.isLoaded).toBe(false);
  });

  it("is not given to a client of another authority, or of none", async () => {
    const url = await serveKeys(tlsOf("server", ours));
    expect((await fetched(url, tlsOf("stranger", theirs))).isLoaded).toBe(false);
    expect((await fetched(url)).isLoaded).toBe(false);
  });

  it("goes on over a change of the authority on both sides", async () => {
    const [server, gateway] = [tlsOf("server", ours), tlsOf("gateway", ours)];
    const url = await serveKeys(server);
    for (const name of ["server", "gateway"]) theirs.issueTo(join(root, name));
    expect([server.reload(), gateway.reload()]).toEqual([true, true]);
    expect((await fetched(url, gateway)).isLoaded).toBe(true);
    expect((await fetched(url, tlsOf("late", ours))).isLoaded).toBe(false);
  });
});
