import { describe, expect, it } from "vitest";

import { createClient, Metadata, openChannel, Status } from "../src/index.ts";
import { ErrorCode, Flag, FrameType, Setting } from "../src/http2/protocol.ts";
import { Echo, pair, sayPath } from "./echo-service.ts";
import { block, emptyMessage, frame, rawServer, setting, uint32, type RawPeer } from "./raw-peer.ts";

const head = block([
  [":status", "200"],
  ["content-type", "application/grpc"],
]);
const ok = block([["grpc-status", "0"]]);

/** Answers a stream with an empty message. */
function answer(peer: RawPeer, id: number): void {
  peer.send(
    frame(FrameType.HEADERS, Flag.END_HEADERS, id, head),
    frame(FrameType.DATA, 0, id, emptyMessage),
    frame(FrameType.HEADERS, Flag.END_HEADERS | Flag.END_STREAM, id, ok),
  );
}

async function requests(peer: RawPeer, count: number): Promise<number[]> {
  await peer.until(() => peer.headers.length >= count);
  return peer.headers.map(({ streamId }) => streamId);
}

describe("a channel", () => {
  it("makes a call again that the server refused to look at", async () => {
    await using server = await rawServer(async (peer) => {
      const [first = 0] = await requests(peer, 1);
      peer.send(frame(FrameType.RST_STREAM, 0, first, uint32(ErrorCode.REFUSED_STREAM)));
      const [, second = 0] = await requests(peer, 2);
      answer(peer, second);
    });
    const channel = openChannel(`127.0.0.1:${server.port}`);
    expect((await channel.unary(sayPath, new Uint8Array())).message.length).toBe(0);
    channel.close();
  });

  it("gives up a call that is refused each time", async () => {
    await using server = await rawServer(async (peer) => {
      for (let count = 1; count < 20; count++) {
        const ids = await requests(peer, count);
        peer.send(frame(FrameType.RST_STREAM, 0, ids[count - 1] ?? 0, uint32(ErrorCode.REFUSED_STREAM)));
      }
    });
    const channel = openChannel(`127.0.0.1:${server.port}`);
    await expect(channel.unary(sayPath, new Uint8Array())).rejects.toMatchObject({
      code: Status.UNAVAILABLE,
    });
    channel.close();
  });

  it("takes calls above GOAWAY's last stream to another connection, and lets the others end", async () => {
    await using server = await rawServer(async (peer, at) => {
      if (at > 0) return answer(peer, (await requests(peer, 1))[0] ?? 0);
      const [first = 0, second = 0] = await requests(peer, 2);
      if (second < first) throw new Error("the streams are out of order");
      peer.send(frame(FrameType.GOAWAY, 0, 0, Buffer.concat([uint32(first), uint32(0)])));
      answer(peer, first);
    });
    const channel = openChannel(`127.0.0.1:${server.port}`);
    const calls = [channel.unary(sayPath, new Uint8Array()), channel.unary(sayPath, new Uint8Array())];
    expect((await Promise.all(calls)).length).toBe(2);
    expect(server.count()).toBe(2);
    channel.close();
  });

  it.each([
    [true, "makes again", "an idempotent call"],
    [false, "does not make again", "a call"],
  ])("idempotent: %s: %s %s whose connection was lost", async (idempotent) => {
    await using server = await rawServer(async (peer, at) => {
      const [first = 0] = await requests(peer, 1);
      if (at === 0) peer.destroy();
      else answer(peer, first);
    });
    const channel = openChannel(`127.0.0.1:${server.port}`);
    const outcome = await channel.unary(sayPath, new Uint8Array(), { idempotent }).then(
      () => Status.OK,
      ({ code }: { code: Status }) => code,
    );
    expect(outcome).toBe(idempotent ? Status.OK : Status.UNAVAILABLE);
    channel.close();
  });

  it("queues calls above the server's limit of streams", async () => {
    let open = 0;
    let most = 0;
    await using server = await rawServer(async (peer) => {
      peer.send(frame(FrameType.SETTINGS, 0, 0, setting(Setting.MAX_CONCURRENT_STREAMS, 2)));
      for (let count = 1; count <= 20; count++) {
        const ids = await requests(peer, count);
        most = Math.max(most, ids.length - open);
        answer(peer, ids[count - 1] ?? 0);
        open++;
      }
    });
    const channel = openChannel(`127.0.0.1:${server.port}`);
    // The first answer is behind the second SETTINGS.
    await channel.unary(sayPath, new Uint8Array());
    await Promise.all(Array.from({ length: 19 }, async () => channel.unary(sayPath, new Uint8Array())));
    expect(most).toBeLessThanOrEqual(2);
    channel.close();
  });

  it.each([
    ["no gRPC", [[":status", "503"]], Status.UNAVAILABLE],
    ["no such page", [[":status", "404"]], Status.UNIMPLEMENTED],
    [
      "a page",
      [
        [":status", "200"],
        ["content-type", "text/html"],
      ],
      Status.UNKNOWN,
    ],
    [
      "trailers alone",
      [
        [":status", "200"],
        ["grpc-status", "5"],
        ["grpc-message", "none%20here"],
      ],
      Status.NOT_FOUND,
    ],
  ] as const)("reads an answer that is %s", async (_, fields, code) => {
    await using server = await rawServer(async (peer) => {
      const [first = 0] = await requests(peer, 1);
      peer.send(frame(FrameType.HEADERS, Flag.END_HEADERS | Flag.END_STREAM, first, block(fields)));
    });
    const channel = openChannel(`127.0.0.1:${server.port}`);
    await expect(channel.unary(sayPath, new Uint8Array())).rejects.toMatchObject({ code });
    channel.close();
  });

  it.each([
    ["messages before headers", [frame(FrameType.DATA, 0, 1, emptyMessage)]],
    [
      "an end without a status",
      [frame(FrameType.HEADERS, Flag.END_HEADERS, 1, head), frame(FrameType.DATA, 1, 1, emptyMessage)],
    ],
    ["no message", [frame(FrameType.HEADERS, Flag.END_HEADERS, 1, head), frame(FrameType.HEADERS, 5, 1, ok)]],
    [
      "half a message",
      [
        frame(FrameType.HEADERS, Flag.END_HEADERS, 1, head),
        frame(FrameType.DATA, 0, 1, Buffer.of(0, 0, 0, 0, 9, 1)),
        frame(FrameType.HEADERS, 5, 1, ok),
      ],
    ],
    [
      "a compressed message without a name for it",
      [
        frame(FrameType.HEADERS, Flag.END_HEADERS, 1, head),
        frame(FrameType.DATA, 0, 1, Buffer.of(1, 0, 0, 0, 0)),
      ],
    ],
  ])("fails a call with INTERNAL for %s", async (_, frames) => {
    await using server = await rawServer(async (peer) => {
      await requests(peer, 1);
      peer.send(...frames);
    });
    const channel = openChannel(`127.0.0.1:${server.port}`);
    await expect(channel.unary(sayPath, new Uint8Array())).rejects.toMatchObject({ code: Status.INTERNAL });
    channel.close();
  });

  it("drops a server that does not answer pings", async () => {
    await using silent = await rawServer(async (peer) => {
      await requests(peer, 1);
      // Its machine is gone: nothing is read any more.
      peer.socket.pause();
    });
    const channel = openChannel(`127.0.0.1:${silent.port}`, { keepaliveMs: 50, keepaliveTimeoutMs: 100 });
    await expect(channel.unary(sayPath, new Uint8Array())).rejects.toMatchObject({
      code: Status.UNAVAILABLE,
      message: "the server does not answer pings",
    });
    channel.close();
  });

  it("sends the same secret in each call and forgets none", async () => {
    const seen: (string | undefined)[] = [];
    await using peers = await pair(
      {
        say(request, call) {
          seen.push(call.metadata.get("x-secret"), call.metadata.get("authorization"));
          return request;
        },
      },
      { channel: { metadata: Metadata.from({ "x-secret": "s", authorization: "Bearer t" }) } },
    );
    for (let at = 0; at < 3; at++) await createClient(Echo, peers.channel).say({ text: String(at) });
    expect(seen).toEqual(["s", "Bearer t", "s", "Bearer t", "s", "Bearer t"]);
  });

  it.each(["", "a:b:1", "127.0.0.1:99999", "http://x", "[::1"])("refuses %j for a target", (target) => {
    expect(() => openChannel(target)).toThrow(TypeError);
  });
});
