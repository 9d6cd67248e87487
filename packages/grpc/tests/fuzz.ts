import { Duplex } from "node:stream";
import type { Socket } from "node:net";

import { FrameReader } from "../src/http2/frame-reader.ts";
import { preface } from "../src/http2/protocol.ts";
import type { Method } from "../src/serving/methods.ts";
import { ServerConnection } from "../src/serving/server-connection.ts";
import { ClientConnection } from "../src/client/client-connection.ts";
import { UnaryCall } from "../src/client/unary-call.ts";
import {
  block,
  emptyMessage,
  frame,
  requestBlock,
  requestFields,
  setting,
  settings,
  uint32,
} from "./raw-peer.ts";
import { sayPath } from "./echo-service.ts";

/** A socket without a network: what the connection writes is read as frames, which have to be whole. */
class MemorySocket extends Duplex {
  readonly frameTypes: number[] = [];
  readonly remoteAddress = "127.0.0.1";
  readonly remotePort = 1;
  readonly #reader: FrameReader;
  #skip: number;

  constructor(skip: number) {
    super({ emitClose: true, autoDestroy: true });
    this.#skip = skip;
    this.#reader = new FrameReader((type) => {
      this.frameTypes.push(type);
      return true;
    });
  }

  setNoDelay(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  destroySoon(): void {
    this.destroy();
  }

  override _read(): void {}

  override _write(octets: Buffer, _: string, done: () => void): void {
    const skipped = Math.min(this.#skip, octets.length);
    this.#skip -= skipped;
    this.#reader.push(octets.subarray(skipped));
    done();
  }
}

/** Numbers that look random and are the same for the same seed (mulberry32). */
export function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const goodBlocks = [
  requestBlock,
  block([...requestFields(), ["grpc-timeout", "1n"]]),
  block([...requestFields(), ["grpc-timeout", "5S"], ["x-bin", "AAEC"]]),
  block(requestFields("/no/such")),
  block([
    [":status", "200"],
    ["content-type", "application/grpc"],
  ]),
  block([["grpc-status", "0"]]),
  block([["grpc-status", "5"]]),
  Buffer.from("400a637573746f6d2d6b65790d637573746f6d2d686561646572", "hex"),
  Buffer.of(0xbe),
  Buffer.of(0x20),
];

function payload(random: (below: number) => number): Buffer {
  switch (random(8)) {
    case 0:
      return Buffer.alloc(random(20), random(256));
    case 1:
      return uint32(random(3) === 0 ? 0x7fffffff : random(70_000));
    case 2:
      return setting(random(8), random(4) === 0 ? 0xffffffff : random(100_000));
    case 3:
      return emptyMessage;
    case 4:
      return Buffer.concat([Buffer.of(random(3)), uint32(random(40)), Buffer.alloc(random(40))]);
    default:
      return goodBlocks[random(goodBlocks.length)] ?? emptyMessage;
  }
}

/** A sequence of frames, some of which are right, cut anywhere. */
function chunks(random: (below: number) => number): Buffer[] {
  const frames = [random(20) === 0 ? Buffer.alloc(0) : settings];
  for (let left = random(12); left >= 0; left--) {
    const flags = [0, 1, 4, 5, 8, 0x20, 0x2d][random(7)] ?? 0;
    const made = frame(random(3) === 0 ? random(12) : random(2), flags, random(6), payload(random));
    if (random(12) === 0) made[random(made.length)] = random(256);
    frames.push(made);
  }
  const whole = Buffer.concat(frames);
  const cut: Buffer[] = [];
  for (let at = 0; at < whole.length;) {
    const length = random(3) === 0 ? 1 + random(20) : whole.length;
    cut.push(whole.subarray(at, at + length));
    at += length;
  }
  return cut;
}

/**
 * Plays one case against a server and a client. Throws when a frame that was written is broken, or a call is left
 * behind by a connection that is over.
 */
export async function playCase(seed: number, methods: ReadonlyMap<string, Method>): Promise<void> {
  const random = randomOf(seed);
  await playServer(chunks(random), methods);
  await playClient(chunks(random));
}

async function playServer(parts: readonly Buffer[], methods: ReadonlyMap<string, Method>): Promise<void> {
  const socket = new MemorySocket(0);
  let over = false;
  const connection = new ServerConnection(socket as unknown as Socket, {
    methods,
    maxBytes: 1_000,
    maxConcurrentStreams: 4,
    onOver: () => {
      over = true;
    },
  });
  socket.emit("data", preface);
  for (const part of parts) socket.emit("data", part);
  await turn();
  connection.abandon("the case has ended");
  socket.destroy();
  if (!over) throw new Error("the server's connection is not over");
}

async function playClient(parts: readonly Buffer[]): Promise<void> {
  const socket = new MemorySocket(preface.length);
  let started = 0;
  let ended = 0;
  const connection: ClientConnection = new ClientConnection(socket as unknown as Socket, {
    authority: "a:1",
    scheme: "http",
    metadata: undefined,
    keepaliveMs: undefined,
    keepaliveTimeoutMs: 1_000,
    onReady: () => {
      const setup = {
        path: sayPath,
        metadata: undefined,
        deadlineAtMs: Number.POSITIVE_INFINITY,
        signal: undefined,
        waitForReady: false,
        repeatable: false,
        compress: false,
        compresses: undefined,
        onHeaders: undefined,
        onTrailers: undefined,
        maxBytes: 1_000,
      };
      const router = { again: () => false, ended: () => {} };
      const end = (): void => {
        ended++;
      };
      for (; started < 3; started++) connection.start(new UnaryCall(router, setup, emptyMessage, end, end));
    },
    onDraining: () => {},
    onOver: () => {},
  });
  for (const part of parts) socket.emit("data", part);
  await turn();
  connection.abandon("the case has ended");
  socket.destroy();
  if (ended !== started) throw new Error(`${started - ended} calls are left behind`);
}

/** After this, what was scheduled for the turn has run. */
async function turn(): Promise<void> {
  await new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
}
