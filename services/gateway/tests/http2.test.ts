import { waitFor } from "@chirrup/testkit";
import { afterEach, describe, expect, it } from "vitest";
import { holdPosts, startGateway, type GatewayOptions, type TestGateway } from "./gateway.ts";
import {
  answerOf,
  ask,
  flags,
  frame,
  frames,
  getRoot,
  openHttp2,
  openRawHttp2,
  postLogin,
  type RawHttp2,
} from "./http2-client.ts";
import { startLibraryGateway } from "./library-gateway.ts";

const open: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close();
});

const start = async (options?: GatewayOptions): Promise<TestGateway> => {
  const gateway = await startGateway(options);
  open.push(() => gateway[Symbol.asyncDispose]());
  return gateway;
};
const connectTo = ({ port }: TestGateway) => {
  const session = openHttp2(`http://127.0.0.1:${port}`);
  open.push(() => session.destroy());
  return session;
};
const post = (path: string, token: string) => ({
  ":method": "POST",
  ":path": path,
  authorization: `Bearer ${token}`,
  "content-type": "application/json",
});

describe("HTTP/2 with prior knowledge", () => {
  it("answers as HTTP/1.1 does, on the same port", async () => {
    const gateway = await start();
    const token = await gateway.issuer.token(42n, 7n);
    const session = connectTo(gateway);
    const authorization = `Bearer ${token}`;
    const { status, headers, text } = await ask(session, { ":path": "/api/v1/me", authorization });
    const first = await gateway.ask("GET", "/api/v1/me", { token });
    expect([status, text]).toEqual([200, first.text]);
    const names = (all: object): string[] =>
      Object.keys(all)
        .filter((name) => !name.startsWith(":") && !["connection", "keep-alive"].includes(name))
        .toSorted();
    expect(names(headers)).toEqual(names(first.headers));
    const call = gateway.services.seen.at(-2)?.call;
    expect([call?.caller?.userId, call?.clientAddress]).toEqual([42n, "127.0.0.1"]);
  });

  it("reads cookies in pieces, sets several, and takes :authority for the host", async () => {
    const gateway = await start();
    const session = connectTo(gateway);
    const { port } = gateway;
    const login = await ask(
      session,
      { ...post("/api/v1/login", ""), ":authority": `127.0.0.1:${port}`, origin: `http://127.0.0.1:${port}` },
      JSON.stringify({ login: "ada", password: "correct horse" }),
    );
    expect([login.status, login.headers["set-cookie"]?.length]).toEqual([200, 2]);
    const token = await gateway.issuer.token();
    const cookie = ["a=b", `chirrup_access=${token}`];
    expect((await ask(session, { ":path": "/api/v1/me", cookie })).status).toBe(200);
    const twoHosts = { ":path": "/api/v1/me", ":authority": "a.example", host: "b.example" };
    expect((await ask(session, { ...twoHosts, cookie })).status).toBe(400);
  });

  it("keeps to the limits of HTTP/1.1", async () => {
    const gateway = await start();
    const token = await gateway.issuer.token();
    const session = connectTo(gateway);
    const statuses = await Promise.all([
      ask(session, post("/api/v1/posts", token), JSON.stringify({ content: "no length" })),
      ask(session, post("/api/v1/posts", token), "x".repeat(1_048_577)),
      ask(session, { ...post("/api/v1/posts", token), "content-length": 2_000_000 }, "x".repeat(2_000_000)),
      ask(session, { ...post("/api/v1/posts", token), "content-type": "text/plain" }, "x"),
      ask(session, { ":path": `/api/v1/posts/${"1".repeat(8_200)}` }),
      ask(session, { ":path": "/api/v1/me", "x-large": "a".repeat(17_000) }),
      ask(session, { ":path": "/api/v1/me", expect: "the-unexpected" }),
      ask(session, { ":path": "/nowhere", ":method": "POST" }, "a body that nobody reads"),
    ]);
    expect(statuses.map(({ status }) => status)).toEqual([200, 413, 413, 415, 414, 431, 417, 404]);
    for (const { status, text } of statuses.slice(1)) {
      expect(JSON.parse(text)).toMatchObject({ message: expect.any(String), details: expect.any(Array) });
      expect(status).toBeGreaterThan(400);
    }
    await expect(ask(session, { ":path": "/", "x-large": "a".repeat(40_000) })).rejects.toThrow("no answer");
    expect((await ask(connectTo(gateway), { ":path": "/nowhere" })).status).toBe(404);
  });

  it("serves HTTP/1.1 alone when it is told to", async () => {
    const gateway = await start({ env: { HTTP2_STREAMS: "0" } });
    await expect(ask(connectTo(gateway), { ":path": "/nowhere" })).rejects.toThrow("no answer");
    expect((await gateway.ask("GET", "/nowhere")).status).toBe(404);
  });

  it("streams, and cancels the call when the client takes its request back", async () => {
    const started = await startLibraryGateway();
    open.push(() => started[Symbol.asyncDispose]());
    const session = connectTo(started.gateway);
    const watched = await ask(session, { ":path": "/v1/watch?count=3&code=9" });
    expect(watched.headers["content-type"]).toBe("application/x-ndjson");
    expect(
      watched.text
        .trimEnd()
        .split("\n")
        .map((line) => Object.keys(JSON.parse(line) as object)),
    ).toEqual([["result"], ["result"], ["result"], ["error"]]);
    const endless = session.request({ ":path": "/v1/watch?count=1&endless=true" });
    const answer = answerOf(endless);
    await new Promise((resolve) => endless.once("response", resolve));
    expect(started.library.watching()).toBe(1);
    endless.close(8);
    await waitFor(() => started.library.watching() === 0, {
      what: "the service to see that the client left",
    });
    expect(await answer).toMatchObject({ status: 200, code: 8 });
    expect((await ask(session, { ":path": "/v1/shelves/1" })).status).toBe(200);
  });
});

describe("an HTTP/2 connection of a gateway that stops", () => {
  it("ends when all that was asked for is answered", async () => {
    const gateway = await start();
    const authorization = `Bearer ${await gateway.issuer.token()}`;
    const session = connectTo(gateway);
    const posts = holdPosts(gateway);
    const inFlight = Array.from({ length: 20 }, () =>
      ask(session, { ":path": "/api/v1/posts/1", authorization }),
    );
    await waitFor(() => posts.asked() === 20);
    const told = new Promise((resolve) => session.once("goaway", resolve));
    const stopped = gateway.stop();
    await told;
    posts.release();
    expect(new Set((await Promise.all(inFlight)).map(({ status }) => status))).toEqual(new Set([200]));
    await stopped;
    await waitFor(() => session.destroyed);
  });

  it("answers what was sent before the client could know", async () => {
    const gateway = await start();
    const { socket, received, closed } = await openRawHttp2(gateway.port);
    await waitFor(() => received.some(({ type }) => type === frames.settings));
    const stopped = gateway.stop();
    await waitFor(() => received.some(({ type }) => type === frames.goaway));
    socket.write(frame(frames.headers, flags.endStream | flags.endHeaders, 1, getRoot));
    await waitFor(() => received.some(({ type, streamId }) => type === frames.headers && streamId === 1));
    await Promise.all([stopped, closed]);
    const last = received
      .filter(({ type }) => type === frames.goaway)
      .map(({ payload }) => payload.readUInt32BE(0));
    expect([...new Set(last)]).toEqual([2 ** 31 - 1, 1]);
  });
});

describe("an HTTP/2 client that attacks", () => {
  const byThousands = async (
    { socket }: RawHttp2,
    thousands: number,
    one: (i: number) => Buffer,
  ): Promise<void> => {
    for (let n = 0; n < thousands && socket.writable; n += 1) {
      socket.write(Buffer.concat(Array.from({ length: 1_000 }, (_, i) => one(n * 1_000 + i))));
      await new Promise((resolve) => setImmediate(resolve));
    }
  };

  it("is cut off when it takes its requests back as fast as it sends them", async () => {
    const gateway = await start();
    const raw = await openRawHttp2(gateway.port);
    await byThousands(raw, 20, (i) => {
      const id = 2 * i + 1;
      return Buffer.concat([
        frame(frames.headers, flags.endStream | flags.endHeaders, id, getRoot),
        frame(frames.reset, 0, id, Buffer.from([0, 0, 0, 8])),
      ]);
    });
    await raw.closed;
    const answered = await answeredBy(gateway);
    expect(answered).toBeLessThan(2_000);
    expect((await gateway.ask("GET", "/nowhere")).status).toBe(404);
  });

  it("is cut off when its headers have no end", async () => {
    const gateway = await start();
    const raw = await openRawHttp2(gateway.port);
    raw.socket.write(frame(frames.headers, flags.endStream, 1, getRoot));
    // A header that is never indexed, "x: a".
    const field = Buffer.from([0x10, 1, 0x78, 1, 0x61]);
    await byThousands(raw, 100, () => frame(frames.continuation, 0, 1, field));
    await raw.closed;
    expect(await answeredBy(gateway)).toBe(0);
    expect((await gateway.ask("GET", "/nowhere")).status).toBe(404);
  });

  it("has no more requests under way than it was told", async () => {
    const gateway = await start({ env: { HTTP2_STREAMS: "5" } });
    const authorization = `Bearer ${await gateway.issuer.token()}`;
    const posts = holdPosts(gateway);
    const session = connectTo(gateway);
    await new Promise((resolve) => session.once("remoteSettings", resolve));
    expect(session.remoteSettings.maxConcurrentStreams).toBe(5);
    const polite = Array.from({ length: 8 }, () =>
      ask(session, { ":path": "/api/v1/posts/1", authorization }),
    );
    await waitFor(() => posts.asked() === 5);
    const raw = await openRawHttp2(gateway.port);
    await waitFor(() => raw.received.some(({ type }) => type === frames.settings));
    // A stream that is never ended is under way for as long as it likes.
    for (let i = 0; i < 8; i += 1)
      raw.socket.write(frame(frames.headers, flags.endHeaders, 2 * i + 1, postLogin));
    await waitFor(() => raw.received.filter(({ type }) => type === frames.reset).length === 3);
    posts.release();
    expect((await Promise.all(polite)).map(({ status }) => status)).toEqual(
      Array.from({ length: 8 }, () => 200),
    );
    raw.socket.destroy();
  });
});

/** Requests that were counted, whatever became of them. */
async function answeredBy({ metrics }: TestGateway): Promise<number> {
  const text = await metrics.registry.metrics();
  return [...text.matchAll(/^chirrup_gateway_request_seconds_count\{.*\} (\d+)$/gm)].reduce(
    (sum, [, count]) => sum + Number(count),
    0,
  );
}
