import {
  connect,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type OutgoingHttpHeaders,
  type SecureClientSessionOptions,
} from "node:http2";
import { connect as connectSocket, type Socket } from "node:net";

export interface Http2Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly text: string;
  /** The code by which the stream ended; 0 for none. */
  readonly code: number;
}

/** A client with prior knowledge of HTTP/2, or by ALPN for https. */
export function openHttp2(url: string, options: SecureClientSessionOptions = {}): ClientHttp2Session {
  const session = connect(url, options);
  session.on("error", () => undefined);
  return session;
}

/** Sends a request and reads its answer to the end; rejects when the stream ends without a head. */
export function ask(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders,
  body?: string | Buffer,
): Promise<Http2Answer> {
  const stream = session.request(headers, { endStream: body === undefined });
  if (body !== undefined) stream.end(body);
  return answerOf(stream);
}

export function answerOf(stream: ClientHttp2Stream): Promise<Http2Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Http2Answer>();
  let head: Record<string, string | string[] | undefined> | undefined;
  let text = "";
  stream.setEncoding("utf8");
  stream.on("response", (headers) => (head = headers as typeof head));
  stream.on("data", (chunk: string) => (text += chunk));
  stream.on("error", () => undefined);
  stream.on("close", () => {
    const code = stream.rstCode;
    if (head === undefined) reject(new Error(`no answer: ${code}`));
    else resolve({ status: Number(head[":status"]), headers: head, text, code: code ?? 0 });
  });
  return promise;
}

/** Frames of HTTP/2 that no client would send. */
export const frame = (
  type: number,
  flags: number,
  streamId: number,
  payload: Buffer = Buffer.alloc(0),
): Buffer => {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, payload]);
};

export const frames = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  continuation: 9,
} as const;
export const flags = { endStream: 1, endHeaders: 4 } as const;

/** GET / by its entries of HPACK's static table (RFC 7541 appendix A): method, scheme, path, and an authority of its own. */
export const getRoot: Buffer = Buffer.concat([Buffer.from([0x82, 0x86, 0x84, 0x41, 0x01]), Buffer.from("a")]);

/** POST /api/v1/login with a body to come, in literals that are never indexed (section 6.2.3). */
export const postLogin: Buffer = Buffer.concat([
  Buffer.from([0x83, 0x86, 0x41, 0x01]),
  Buffer.from("a"),
  ...[
    [":path", "/api/v1/login"],
    ["content-type", "application/json"],
  ].flatMap(([name = "", value = ""]) => [
    Buffer.from([0x10, name.length]),
    Buffer.from(name),
    Buffer.from([value.length]),
    Buffer.from(value),
  ]),
]);

export interface Frame {
  readonly type: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

export interface RawHttp2 {
  readonly socket: Socket;
  /** What came so far. */
  readonly received: readonly Frame[];
  /** Resolves when the connection is closed. */
  readonly closed: Promise<void>;
}

/** A connection that has said the preface and its settings. */
export async function openRawHttp2(port: number): Promise<RawHttp2> {
  const socket = connectSocket(port, "127.0.0.1");
  const received: Frame[] = [];
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  let rest: Buffer = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 9 && rest.length >= 9 + rest.readUIntBE(0, 3)) {
      const end = 9 + rest.readUIntBE(0, 3);
      received.push({ type: rest[3] ?? 0, streamId: rest.readUInt32BE(5), payload: rest.subarray(9, end) });
      rest = rest.subarray(end);
    }
  });
  socket.on("error", () => undefined);
  socket.on("close", () => resolve());
  await new Promise<void>((connected) => socket.once("connect", connected));
  socket.write(
    Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frame(frames.settings, 0, 0)]),
  );
  return { socket, received, closed };
}
