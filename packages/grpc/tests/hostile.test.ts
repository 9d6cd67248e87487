import { once } from "node:events";

import { create, toBinary } from "@bufbuild/protobuf";
import { describe, expect, it, vi } from "vitest";

import { createClient, openChannel, type ServerCall } from "../src/index.ts";
import { ErrorCode, Flag, FrameType, preface, Setting } from "../src/http2/protocol.ts";
import { Echo, NoteSchema, pair, repeatPath, sayPath } from "./echo-service.ts";
import {
  block,
  emptyMessage,
  frame,
  RawPeer,
  requestBlock,
  requestFields,
  setting,
  settings,
  uint32,
} from "./raw-peer.ts";

const {
  HEADERS,
  DATA,
  CONTINUATION,
  RST_STREAM,
  SETTINGS,
  PING,
  WINDOW_UPDATE,
  PRIORITY,
  PUSH_PROMISE,
  GOAWAY,
} = FrameType;

/** An implementation that goes on until its call is cancelled, or longer. */
function sleeper(stubborn = false) {
  let most = 0;
  let running = 0;
  let begun = 0;
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  return {
    release,
    most: () => most,
    begun: () => begun,
    say: async (_: unknown, call: ServerCall) => {
      begun++;
      most = Math.max(most, ++running);
      if (stubborn) await released;
      else if (!call.signal.aborted) await once(call.signal, "abort");
      running--;
      return {};
    },
  };
}

async function serving(work: (peer: RawPeer, port: number) => Promise<void>): Promise<void> {
  await using peers = await pair();
  const peer = await RawPeer.connect(peers.server.port);
  try {
    await work(peer, peers.server.port);
    // Whatever one client did, the next is served.
    const channel = openChannel(`127.0.0.1:${peers.server.port}`);
    expect(await createClient(Echo, channel).say({ text: "still here" })).toMatchObject({
      text: "still here",
    });
    channel.close();
  } finally {
    peer.destroy();
  }
}

describe("a server", () => {
  it("ends the connection of who cancels thousands of calls (CVE-2023-44487)", async () => {
    await using peers = await pair({ say: sleeper().say });
    const peer = await RawPeer.connect(peers.server.port);
    for (let id = 1; id < 12_000; id += 2) {
      peer.request(id, emptyMessage);
      peer.send(frame(RST_STREAM, 0, id, uint32(ErrorCode.CANCEL)));
    }
    expect(await peer.goAwayCode()).toBe(ErrorCode.ENHANCE_YOUR_CALM);
  });

  it("runs no more implementations than it said, cancelled ones among them (CVE-2023-44487)", async () => {
    const { say, most, begun, release } = sleeper(true);
    await using peers = await pair({ say }, { maxConcurrentStreams: 10 });
    const peer = await RawPeer.connect(peers.server.port);
    for (let id = 1; id < 400; id += 2) {
      peer.request(id, emptyMessage);
      peer.send(frame(RST_STREAM, 0, id, uint32(ErrorCode.CANCEL)));
    }
    await peer.pinged();
    expect(most()).toBe(10);
    expect(begun()).toBe(10);
    release();
    peer.destroy();
  });

  it("takes a few hundred cancellations for what they are", async () => {
    await serving(async (peer) => {
      for (let id = 1; id < 1_000; id += 2) {
        peer.request(id);
        peer.send(frame(RST_STREAM, 0, id, uint32(ErrorCode.CANCEL)));
      }
      await peer.pinged();
      expect(peer.frames.some(({ type }) => type === GOAWAY)).toBe(false);
    });
  });

  it.each([
    ["of 1 KB each", 1_024],
    ["of no octets", 0],
  ])("ends a header block without end, of CONTINUATION frames %s (CVE-2024-27316)", async (_, length) => {
    await serving(async (peer) => {
      peer.send(frame(HEADERS, 0, 1, requestBlock));
      for (let at = 0; at < 1_000; at++) peer.send(frame(CONTINUATION, 0, 1, Buffer.alloc(length)));
      expect(await peer.goAwayCode()).toBe(ErrorCode.ENHANCE_YOUR_CALM);
    });
  });

  it("refuses a list of fields that grows out of a few octets (HPACK bomb)", async () => {
    await serving(async (peer) => {
      const entry = block([]);
      const name = Buffer.from("x-bomb");
      const value = Buffer.alloc(3_900, "b");
      const literal = Buffer.concat([
        Buffer.of(0x40, name.length),
        name,
        Buffer.of(0x7f, ((value.length - 127) & 127) | 128, (value.length - 127) >>> 7),
        value,
      ]);
      const bomb = Buffer.concat([requestBlock, entry, literal, Buffer.alloc(10_000, 0xbe)]);
      peer.send(frame(HEADERS, Flag.END_HEADERS, 1, bomb));
      await peer.until(() => peer.headers.length > 0);
      expect(peer.headers[0]?.fields).toMatchObject({ "grpc-status": "8" });
      await peer.pinged();
    });
  });

  it.each([
    ["SETTINGS", settings],
    ["acknowledged SETTINGS", frame(SETTINGS, Flag.ACK, 0)],
    ["PING", frame(PING, 0, 0, Buffer.alloc(8))],
    ["PRIORITY", frame(PRIORITY, 0, 3, Buffer.alloc(5))],
    ["WINDOW_UPDATE", frame(WINDOW_UPDATE, 0, 0, uint32(1))],
    ["frames of an unknown type", frame(99, 0, 0)],
    ["empty DATA", frame(DATA, 0, 1)],
    ["padding alone", frame(DATA, Flag.PADDED, 1, Buffer.of(1, 0))],
    ["RST_STREAM of closed streams", frame(RST_STREAM, 0, 1, uint32(8))],
    [
      "refused requests",
      frame(HEADERS, Flag.END_HEADERS | Flag.END_STREAM, 1, block(requestFields("/no/such"))),
    ],
  ])("has enough of thousands of %s", async (what, flood) => {
    await serving(async (peer) => {
      peer.request(1);
      if (what === "RST_STREAM of closed streams") peer.send(frame(RST_STREAM, 0, 1, uint32(8)));
      const floods = Array.from({ length: 5_000 }, (_, at) => {
        if (what !== "refused requests") return flood;
        const next = Buffer.from(flood);
        next.writeUInt32BE(2 * at + 3, 5);
        return next;
      });
      peer.send(...floods);
      expect(await peer.goAwayCode()).toBe(ErrorCode.ENHANCE_YOUR_CALM);
    });
  });

  it("keeps a bounded part of its answers for who does not read them", async () => {
    let produced = 0;
    await using peers = await pair({
      async *repeat() {
        for (; produced < 100_000; produced++) yield { text: "x".repeat(16_000) };
      },
    });
    const window = Buffer.concat([
      frame(SETTINGS, 0, 0, setting(Setting.INITIAL_WINDOW_SIZE, 0x7fffffff)),
      frame(WINDOW_UPDATE, 0, 0, uint32(0x7fff0000)),
    ]);
    const peer = await RawPeer.connect(peers.server.port, Buffer.concat([preface, window]));
    await peer.pinged();
    peer.socket.pause();
    const head = block(requestFields("/test.Echo/Repeat"));
    for (let id = 1; id < 20; id += 2) {
      peer.send(frame(HEADERS, Flag.END_HEADERS, id, head), frame(DATA, Flag.END_STREAM, id, emptyMessage));
    }
    await vi.waitFor(() => expect(produced).toBeGreaterThan(9));
    // Calls over other connections are proof that time went by for this one.
    let before = -1;
    for (let at = 0; at < 2_000 && before !== produced; at++) {
      before = produced;
      for (let call = 0; call < 20; call++) await peers.channel.unary(sayPath, new Uint8Array());
    }
    expect(produced * 16_000).toBeLessThan(20_000_000);
    peer.destroy();
  });

  it("ends the connection of who asks for answers to pings and reads none", async () => {
    await using peers = await pair();
    const peer = await RawPeer.connect(peers.server.port);
    peer.socket.pause();
    const pings = Buffer.concat(Array.from({ length: 1_000 }, () => frame(PING, 0, 0, Buffer.alloc(8))));
    for (let at = 0; at < 20; at++) peer.send(pings);
    await vi.waitFor(() => expect(peer.socket.destroyed || peer.socket.writableLength === 0).toBe(true));
    peer.socket.resume();
    expect(await peer.goAwayCode()).toBe(ErrorCode.ENHANCE_YOUR_CALM);
  });

  it("sends no more than the client's windows allow, and all of it in the end", async () => {
    await using peers = await pair({ say: () => ({ text: "x".repeat(100_000) }) });
    const small = Buffer.concat([
      preface,
      frame(SETTINGS, 0, 0, setting(Setting.INITIAL_WINDOW_SIZE, 1_000)),
    ]);
    const peer = await RawPeer.connect(peers.server.port, small);
    peer.request(1, emptyMessage);
    const received = (): number =>
      peer.frames.reduce((sum, { type, payload }) => sum + (type === DATA ? payload.length : 0), 0);
    await peer.until(() => received() > 0);
    await peer.pinged();
    expect(received()).toBe(1_000);
    peer.send(frame(SETTINGS, 0, 0, setting(Setting.INITIAL_WINDOW_SIZE, 200_000)));
    await peer.until(() => received() >= 65_535);
    await peer.pinged();
    expect(received(), "the connection's window").toBe(65_535);
    peer.send(frame(WINDOW_UPDATE, 0, 0, uint32(100_000)));
    await peer.until(() => peer.headers.length === 2);
    expect(received()).toBe(100_009);
    expect(peer.headers[1]?.fields).toMatchObject({ "grpc-status": "0" });
    peer.destroy();
  });

  it("counts small messages against the connection's window too", async () => {
    await using peers = await pair();
    const wide = Buffer.concat([
      preface,
      frame(SETTINGS, 0, 0, setting(Setting.INITIAL_WINDOW_SIZE, 1_000_000)),
    ]);
    const peer = await RawPeer.connect(peers.server.port, wide);
    const note = toBinary(NoteSchema, create(NoteSchema, { text: "x".repeat(1_000), count: 100 }));
    const message = Buffer.concat([Buffer.of(0), uint32(note.length), note]);
    peer.send(
      frame(HEADERS, Flag.END_HEADERS, 1, block(requestFields(repeatPath))),
      frame(DATA, Flag.END_STREAM, 1, message),
    );
    const received = (): number =>
      peer.frames.reduce((sum, { type, payload }) => sum + (type === DATA ? payload.length : 0), 0);
    await peer.until(() => received() >= 65_535);
    await peer.pinged();
    expect(received()).toBe(65_535);
    peer.send(frame(WINDOW_UPDATE, 0, 0, uint32(1_000_000)));
    await peer.until(() => peer.headers.length === 2);
    expect(received()).toBeGreaterThan(100_000);
    peer.destroy();
  });

  const { PROTOCOL_ERROR, FRAME_SIZE_ERROR, FLOW_CONTROL_ERROR, COMPRESSION_ERROR, STREAM_CLOSED } =
    ErrorCode;
  const unknown = block(requestFields("/no/such"));
  it.each([
    ["DATA without a stream", frame(DATA, 0, 0, emptyMessage), PROTOCOL_ERROR],
    ["DATA of an idle stream", frame(DATA, 0, 5, emptyMessage), PROTOCOL_ERROR],
    ["more padding than payload", frame(DATA, Flag.PADDED, 1, Buffer.of(9, 0)), PROTOCOL_ERROR],
    ["HEADERS without a stream", frame(HEADERS, Flag.END_HEADERS, 0, requestBlock), PROTOCOL_ERROR],
    ["HEADERS of an even stream", frame(HEADERS, Flag.END_HEADERS, 2, requestBlock), PROTOCOL_ERROR],
    ["a block that is no HPACK", frame(HEADERS, Flag.END_HEADERS, 3, Buffer.of(0x80)), COMPRESSION_ERROR],
    ["CONTINUATION of nothing", frame(CONTINUATION, Flag.END_HEADERS, 1, requestBlock), PROTOCOL_ERROR],
    ["an interrupted block", Buffer.concat([frame(HEADERS, 0, 3), settings]), PROTOCOL_ERROR],
    [
      "CONTINUATION of another stream",
      Buffer.concat([frame(HEADERS, 0, 3), frame(CONTINUATION, 4, 5)]),
      PROTOCOL_ERROR,
    ],
    ["a long frame", frame(DATA, 0, 1, Buffer.alloc(16_385)), FRAME_SIZE_ERROR],
    ["a short RST_STREAM", frame(RST_STREAM, 0, 1, Buffer.alloc(3)), FRAME_SIZE_ERROR],
    ["RST_STREAM of an idle stream", frame(RST_STREAM, 0, 7, uint32(8)), PROTOCOL_ERROR],
    ["a short PING", frame(PING, 0, 0, Buffer.alloc(7)), FRAME_SIZE_ERROR],
    ["a PING on a stream", frame(PING, 0, 1, Buffer.alloc(8)), PROTOCOL_ERROR],
    ["SETTINGS on a stream", frame(SETTINGS, 0, 1), PROTOCOL_ERROR],
    ["cut SETTINGS", frame(SETTINGS, 0, 0, Buffer.alloc(5)), FRAME_SIZE_ERROR],
    ["an acknowledgement with settings", frame(SETTINGS, Flag.ACK, 0, setting(1, 1)), FRAME_SIZE_ERROR],
    ["a window out of range", frame(SETTINGS, 0, 0, setting(4, 0x80000000)), FLOW_CONTROL_ERROR],
    ["a frame length out of range", frame(SETTINGS, 0, 0, setting(5, 100)), PROTOCOL_ERROR],
    ["ENABLE_PUSH of 2", frame(SETTINGS, 0, 0, setting(2, 2)), PROTOCOL_ERROR],
    ["WINDOW_UPDATE by nothing", frame(WINDOW_UPDATE, 0, 0, uint32(0)), PROTOCOL_ERROR],
    ["a window that overflows", frame(WINDOW_UPDATE, 0, 0, uint32(0x7fffffff)), FLOW_CONTROL_ERROR],
    ["a push", frame(PUSH_PROMISE, 4, 1, uint32(2)), PROTOCOL_ERROR],
    ["a short GOAWAY", frame(GOAWAY, 0, 0, Buffer.alloc(7)), FRAME_SIZE_ERROR],
    [
      "HEADERS of a stream that was passed over",
      Buffer.concat([frame(HEADERS, 5, 9, requestBlock), frame(HEADERS, 5, 5, requestBlock)]),
      PROTOCOL_ERROR,
    ],
    [
      "HEADERS of a stream that is over",
      Buffer.concat([frame(HEADERS, 5, 3, unknown), frame(HEADERS, 5, 3, unknown)]),
      STREAM_CLOSED,
    ],
  ])("ends the connection for %s, with the code of the fault", async (_, fault, code) => {
    await serving(async (peer) => {
      peer.request(1);
      peer.send(fault);
      expect(await peer.goAwayCode()).toBe(code);
    });
  });

  it.each([
    [
      "a block without a path",
      requestFields().filter(([name]) => name !== ":path"),
      ErrorCode.PROTOCOL_ERROR,
    ],
    ["upper case", [...requestFields(), ["X-Upper", "1"] as const], ErrorCode.PROTOCOL_ERROR],
    [
      "a content-length that is not that of the data",
      [
        ...requestFields().map(
          ([name, value]) => [name, name === "content-type" ? "text/plain" : value] as const,
        ),
        ["content-length", "5"] as const,
      ],
      ErrorCode.PROTOCOL_ERROR,
    ],
    ["a field of HTTP/1", [...requestFields(), ["connection", "close"] as const], ErrorCode.PROTOCOL_ERROR],
    ["a pseudo-header behind", [...requestFields(), [":scheme", "http"] as const], ErrorCode.PROTOCOL_ERROR],
  ])("resets the stream alone for %s", async (_, fields, code) => {
    await serving(async (peer) => {
      peer.send(frame(HEADERS, Flag.END_HEADERS | Flag.END_STREAM, 1, block(fields)));
      const { payload } = await peer.frame(({ type }) => type === RST_STREAM);
      expect(payload.readUInt32BE(0)).toBe(code);
      await peer.pinged();
    });
  });

  it.each([
    ["DATA behind the end", frame(DATA, 0, 1, emptyMessage), ErrorCode.STREAM_CLOSED],
    ["HEADERS behind the end", frame(HEADERS, 5, 1, requestBlock), ErrorCode.STREAM_CLOSED],
    ["a window that overflows", frame(WINDOW_UPDATE, 0, 1, uint32(0x7fffffff)), ErrorCode.FLOW_CONTROL_ERROR],
    ["WINDOW_UPDATE by nothing", frame(WINDOW_UPDATE, 0, 1, uint32(0)), ErrorCode.PROTOCOL_ERROR],
  ])("resets a stream that runs for %s, and cancels its call", async (_, fault, code) => {
    const { promise: called, resolve: onCalled } = Promise.withResolvers<AbortSignal>();
    await using peers = await pair({
      async say(__, call) {
        onCalled(call.signal);
        await once(call.signal, "abort");
        return {};
      },
    });
    const peer = await RawPeer.connect(peers.server.port);
    peer.request(1, emptyMessage);
    const signal = await called;
    peer.send(fault);
    const { payload } = await peer.frame(({ type }) => type === RST_STREAM);
    expect(payload.readUInt32BE(0)).toBe(code);
    expect(signal.aborted).toBe(true);
    peer.destroy();
  });

  it("answers what is no gRPC by an HTTP status", async () => {
    await serving(async (peer) => {
      const get = requestFields().map(([name, value]) => [name, name === ":method" ? "GET" : value] as const);
      const json = requestFields().map(
        ([name, value]) => [name, name === "content-type" ? "application/json" : value] as const,
      );
      peer.send(frame(HEADERS, 5, 1, block(get)), frame(HEADERS, 5, 3, block(json)));
      await peer.until(() => peer.headers.length === 2);
      expect(peer.headers.map(({ fields }) => fields[":status"])).toEqual(["405", "415"]);
    });
  });

  it("speaks to nobody without the preface", async () => {
    await using peers = await pair();
    const peer = await RawPeer.connect(peers.server.port, Buffer.from("GET / HTTP/1.1\r\nhost: x\r\n\r\n"));
    expect(await peer.goAwayCode()).toBe(ErrorCode.PROTOCOL_ERROR);
  });
});
