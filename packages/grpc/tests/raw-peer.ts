import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

import { HpackDecoder } from "../src/hpack/decoder.ts";
import { HpackEncoder } from "../src/hpack/encoder.ts";
import { FrameReader } from "../src/http2/frame-reader.ts";
import { Flag, FrameType, preface, readUint32 } from "../src/http2/protocol.ts";
import { sayPath } from "./echo-service.ts";

export interface RawFrame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

/** Any frame, right or wrong. */
export function frame(
  type: number,
  flags: number,
  streamId: number,
  payload: Uint8Array = Buffer.alloc(0),
): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(streamId, 5);
  return Buffer.concat([header, payload]);
}

export function uint32(value: number): Buffer {
  const octets = Buffer.alloc(4);
  octets.writeUInt32BE(value);
  return octets;
}

export function setting(id: number, value: number): Buffer {
  return Buffer.concat([Buffer.of(id >>> 8, id), uint32(value)]);
}

/** A header block that enters nothing into a table, so that any number of them may be sent in any order. */
export function block(fields: readonly (readonly [string, string])[]): Buffer {
  const encoder = new HpackEncoder();
  encoder.begin();
  for (const [name, value] of fields) encoder.field(name, value, "plain");
  return Buffer.from(encoder.end());
}

export const requestFields = (path: string = sayPath): (readonly [string, string])[] => [
  [":method", "POST"],
  [":scheme", "http"],
  [":path", path],
  ["content-type", "application/grpc"],
  ["te", "trailers"],
];

export const requestBlock: Buffer = block(requestFields());

/** One message of no octets. */
export const emptyMessage: Buffer = Buffer.alloc(5);

export const settings: Buffer = frame(FrameType.SETTINGS, 0, 0);

/** One end of a connection whose frames a test writes itself. */
export class RawPeer {
  readonly socket: Socket;
  readonly frames: RawFrame[] = [];
  /** Header blocks by stream, in order, decoded. */
  readonly headers: { streamId: number; fields: Record<string, string> }[] = [];
  closed = false;
  readonly #decoder = new HpackDecoder({ maxListSize: 1_000_000 });
  readonly #wakers = new Set<() => void>();

  constructor(socket: Socket, skip = 0) {
    this.socket = socket;
    let skipped = 0;
    const reader = new FrameReader((type, flags, streamId, buffer, start, end) => {
      this.frames.push({ type, flags, streamId, payload: Buffer.from(buffer.subarray(start, end)) });
      if (type === FrameType.HEADERS) {
        const { fields } = this.#decoder.decode(buffer, start, end);
        this.headers.push({
          streamId,
          fields: Object.fromEntries(fields.map((each) => [each.name, each.value])),
        });
      }
      return true;
    });
    socket.on("data", (chunk: Buffer) => {
      const taken = Math.min(skip - skipped, chunk.length);
      skipped += taken;
      reader.push(chunk.subarray(taken));
      this.#wake();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.closed = true;
      this.#wake();
    });
  }

  static async connect(
    port: number,
    first: Uint8Array = Buffer.concat([preface, settings]),
  ): Promise<RawPeer> {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    const peer = new RawPeer(socket);
    socket.write(first);
    return peer;
  }

  send(...frames: readonly Uint8Array[]): void {
    if (!this.socket.destroyed) this.socket.write(Buffer.concat(frames));
  }

  /** A request without an end, or with one message. */
  request(streamId: number, message?: Uint8Array): void {
    this.send(frame(FrameType.HEADERS, Flag.END_HEADERS, streamId, requestBlock));
    if (message !== undefined) this.send(frame(FrameType.DATA, Flag.END_STREAM, streamId, message));
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.closed) throw new Error("the connection was closed");
      await new Promise<void>((resolve) => {
        this.#wakers.add(resolve);
      });
    }
  }

  async frame(matches: (frame: RawFrame) => boolean): Promise<RawFrame> {
    await this.until(() => this.frames.some(matches));
    return this.frames.find(matches)!;
  }

  /** The code of the GOAWAY that the other end closes with. */
  async goAwayCode(): Promise<number> {
    const { payload } = await this.frame(({ type }) => type === FrameType.GOAWAY);
    return readUint32(payload, 4);
  }

  /** Proof that everything that was sent has been looked at. */
  async pinged(): Promise<void> {
    const payload = Buffer.from(Math.random().toFixed(6).slice(0, 8));
    this.send(frame(FrameType.PING, 0, 0, payload));
    await this.frame((each) => each.type === FrameType.PING && each.payload.equals(payload));
  }

  destroy(): void {
    this.socket.destroy();
  }

  #wake(): void {
    for (const waker of this.#wakers) waker();
    this.#wakers.clear();
  }
}

export interface RawServer extends AsyncDisposable {
  readonly port: number;
  /** How many connections were made. */
  readonly count: () => number;
}

/** A server whose frames a test writes itself; SETTINGS are said for it. */
export async function rawServer(onPeer: (peer: RawPeer, at: number) => Promise<void>): Promise<RawServer> {
  const peers: RawPeer[] = [];
  const server = createServer((socket) => {
    const peer = new RawPeer(socket, preface.length);
    peers.push(peer);
    peer.send(settings);
    onPeer(peer, peers.length - 1).catch((error: unknown) => {
      // What a peer waited for does not come once the test has ended.
      if (!peer.closed) throw error;
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    count: () => peers.length,
    async [Symbol.asyncDispose]() {
      for (const peer of peers) peer.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
