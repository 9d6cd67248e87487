import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { createClient, Status, type Server } from "@chirrup/grpc";
import { FollowService } from "@chirrup/proto/chirrup/follow/v1/follow_service";
import { createAuthority, waitFor, type Authority } from "@chirrup/testkit";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createLogger, createMetrics, openPeer, peerTls, serveRpc, type PeerTls } from "../../src/index.ts";

const peerSecret = "a secret between the services of a test";
const log = createLogger({ service: "test", level: "silent", format: "json" });
const closers: (() => void | Promise<void>)[] = [];
let root = "";
let ours: Authority;
let theirs: Authority;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "chirrup-peer-tls-"));
  ours = createAuthority(join(root, "ours"));
  theirs = createAuthority(join(root, "theirs"));
});
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** The TLS of a process whose certificate stands in a folder of that name. */
function tlsOf(name: string, authority: Authority, everyMs = 3_600_000): PeerTls {
  const folder = join(root, name);
  authority.issueTo(folder);
  const stopping = new AbortController();
  closers.push(() => stopping.abort());
  const tls = peerTls({ folder, log, signal: stopping.signal, everyMs });
  if (tls === undefined) throw new Error("there is a folder, and no TLS");
  return tls;
}

async function serveWith(tls: PeerTls): Promise<Server> {
  const handlers = FollowService.methods.map(({ localName }) => [localName, async () => ({})]);
  const server = await serveRpc({
    service: FollowService,
    handlers: Object.fromEntries(handlers),
    host: "localhost",
    port: 0,
    peerSecret,
    tls,
    log,
    metrics: createMetrics({ service: "test" }),
  });
  closers.push(() => server.close(0));
  return server;
}

async function call({ port }: Server, tls?: PeerTls): Promise<void> {
  const peer = openPeer(`localhost:${port}`, peerSecret, { tls });
  closers.push(() => peer.close());
  await createClient(FollowService, peer).follow({ userId: 1n });
}

/** The serial number of the certificate that a new connection is shown. */
async function shownBy({ port }: Server): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect({ host: "localhost", port, servername: "localhost", rejectUnauthorized: false });
  socket.once("secureConnect", () => resolve(socket.getPeerCertificate().serialNumber));
  socket.once("error", reject);
  return promise.finally(() => socket.destroy());
}

const unavailable = { code: Status.UNAVAILABLE };

describe("mutual TLS between services", () => {
  it("lets in who has a certificate of the authority, and nobody else", async () => {
    const server = await serveWith(tlsOf("server", ours));
    await call(server, tlsOf("client", ours));
    await expect(call(server)).rejects.toMatchObject(unavailable);
    await expect(call(server, tlsOf("stranger", theirs))).rejects.toMatchObject(unavailable);
  });

  it("refuses a server of another authority, though it takes any client", async () => {
    const server = await serveWith(tlsOf("imposter", theirs));
    await expect(call(server, tlsOf("client", ours))).rejects.toMatchObject(unavailable);
  });

  it("takes up a renewed certificate while it serves", async () => {
    const server = await serveWith(tlsOf("renewed", ours, 20));
    const before = await shownBy(server);
    ours.issueTo(join(root, "renewed"));
    await waitFor(async () => (await shownBy(server)) !== before, { what: "the renewed certificate" });
    await expect(call(server, tlsOf("client", ours))).resolves.toBeUndefined();
  });

  it("follows a change of the authority on both sides without a restart", async () => {
    const [serving, calling] = [tlsOf("server", ours), tlsOf("client", ours)];
    const server = await serveWith(serving);
    await call(server, calling);
    theirs.issueTo(join(root, "server"));
    expect(serving.reload()).toBe(true);
    await expect(call(server, calling)).rejects.toMatchObject(unavailable);
    theirs.issueTo(join(root, "client"));
    expect(calling.reload()).toBe(true);
    await call(server, calling);
  });

  it("goes on with what it had when the files are faulty, and does not start with such", async () => {
    const serving = tlsOf("server", ours);
    const server = await serveWith(serving);
    writeFileSync(join(root, "server", "tls.crt"), "half a certificate");
    expect(serving.reload()).toBe(false);
    await call(server, tlsOf("client", ours));
    const { signal } = new AbortController();
    expect(() => peerTls({ folder: join(root, "server"), log, signal })).toThrow(/PEM|certificate/);
    expect(() => peerTls({ folder: join(root, "nowhere"), log, signal })).toThrow(/ENOENT/);
    expect(peerTls({ folder: undefined, log, signal })).toBeUndefined();
  });
});
