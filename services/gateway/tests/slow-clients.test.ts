import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { waitFor } from "@chirrup/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Failure } from "../src/errors/failure.ts";
import { readBody } from "../src/http/body.ts";
import type { Serve } from "../src/http/http2.ts";
import { openPublicPort, type PublicPort } from "../src/http/public-port.ts";
import { readHead } from "../src/http/request-head.ts";
import { endWhenStalled } from "../src/http/slow-reader.ts";
import { answerOf } from "./http2-client.ts";

const bounds = { headMs: 200, requestMs: 300, idleMs: 400, stalledMs: 300, noticeMs: 50, sweepMs: 20 };
const large = Buffer.alloc(32 * 1024 * 1024);

describe("clients that take their time", () => {
  let port: PublicPort;
  let ended: number;
  /** Reads the body, and gives /large to who asks. */
  const answer: (...exchange: Parameters<Serve>) => Promise<void> = async (request, response, refusal) => {
    response.on("close", () => (ended += 1));
    let status = 200;
    try {
      if (refusal !== undefined) throw refusal;
      await readBody(request, readHead(request.rawHeaders).head, { maxBytes: 1e6, takesAnyType: true });
    } catch (error) {
      status = error instanceof Failure ? error.httpStatus : 500;
    }
    response.writeHead(status, []);
    response.end(request.url === "/large" ? large : "");
    if (response.writableLength > 0) endWhenStalled(response, bounds);
  };
  beforeEach(async () => {
    ended = 0;
    port = await openPublicPort({
      host: "127.0.0.1",
      port: 0,
      tls: undefined,
      http2Streams: 10,
      bounds,
      serve: (request, response, refusal) => void answer(request, response, refusal),
    });
  });
  afterEach(() => port.close(10));

  /** Sends the bytes, and gives what came until the server ended the connection. */
  const untilEnd = async (bytes: string): Promise<string> => {
    const socket = connect(port.port, "127.0.0.1");
    let text = "";
    socket.on("data", (chunk) => (text += chunk.toString("latin1")));
    socket.on("error", () => undefined);
    socket.write(bytes);
    await new Promise((resolve) => socket.once("close", resolve));
    return text;
  };

  it.each([
    ["nothing at all", "", /^$/],
    ["a head without an end", "GET / HTTP/1.1\r\nhost: x\r\n", /^HTTP\/1.1 408 /],
    ["a body without an end", "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nx", /^HTTP\/1.1 408 /],
    ["an HTTP/2 preface and no more", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0", /^/],
  ])("are cut off: %s", async (_, bytes, answer) => {
    expect(await untilEnd(bytes)).toMatch(answer);
  });

  it("are told by HTTP/2 that a body took too long", async () => {
    const session = connectHttp2(`http://127.0.0.1:${port.port}`);
    const stream = session.request({ ":method": "POST" }, { endStream: false });
    stream.write("x");
    expect((await answerOf(stream)).status).toBe(408);
    session.destroy();
  });

  it("lose an HTTP/2 connection that they do not use", async () => {
    const session = connectHttp2(`http://127.0.0.1:${port.port}`);
    expect((await answerOf(session.request({}))).status).toBe(200);
    const pings = setInterval(() => session.closed || session.ping(() => undefined), 50);
    await waitFor(() => session.destroyed, { what: "the idle connection to be closed" });
    clearInterval(pings);
  });

  it("lose an answer that they do not read", async () => {
    const socket = connect(port.port, "127.0.0.1");
    socket.on("error", () => undefined);
    socket.write("GET /large HTTP/1.1\r\nhost: x\r\n\r\n");
    await waitFor(() => ended === 1, { what: "the answer by HTTP/1.1 to be given up" });
    socket.destroy();
    const session = connectHttp2(`http://127.0.0.1:${port.port}`);
    session.on("error", () => undefined);
    session.request({ ":path": "/large" }).on("error", () => undefined);
    await waitFor(() => ended === 2, { what: "the answer by HTTP/2 to be given up" });
    session.destroy();
    expect(ended).toBe(2);
  });
});
