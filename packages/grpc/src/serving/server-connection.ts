import type { Socket } from "node:net";
import { gzipSync } from "node:zlib";

import { GrpcError } from "../error.ts";
import type { HeaderBlock } from "../hpack/decoder.ts";
import { Allowance } from "../http2/allowance.ts";
import { Connection } from "../http2/connection.ts";
import { ConnectionFault } from "../http2/fault.ts";
import { ErrorCode, maxStreamId, preface, Setting } from "../http2/protocol.ts";
import type { Stream } from "../http2/stream.ts";
import type { Metadata } from "../metadata.ts";
import { Status } from "../status.ts";
import { encodeMetadata } from "../wire/fields.ts";
import { encodeError } from "../wire/status-fields.ts";
import type { Method } from "./methods.ts";
import { RefusedStream } from "./refused-stream.ts";
import { requestHead, type RequestHead } from "./request-head.ts";
import { ServerStream } from "./server-stream.ts";

export interface ServerConnectionOptions {
  readonly methods: ReadonlyMap<string, Method>;
  readonly maxBytes: number;
  readonly maxConcurrentStreams: number;
  onOver(connection: ServerConnection): void;
}

const notGrpc = Buffer.from("This server speaks gRPC alone.\n");
const handshakeTimeoutMs = 20_000;
/** Finds clients whose machine is gone, which would hold their streams open. */
const keepaliveMs = 60_000;
const keepaliveTimeoutMs = 20_000;
/** How long a client may take to answer the ping that tells it has seen the first GOAWAY. */
const drainPingMs = 1_000;
/** When so much waits for a client that does not read it, it may not ask for more. */
const maxQueuedBytes = 67_108_864;

/** A connection from a client: each stream that it opens is a call. */
export class ServerConnection extends Connection {
  readonly peerAddress: string;
  readonly #options: ServerConnectionOptions;
  /** Cancelling is a client's right, but not thousands of calls a second that it never wanted (CVE-2023-44487). */
  readonly #resets = new Allowance(1_000, 200);
  #prefaceLeft: Buffer | undefined = preface;
  #lastId = 0;
  /** Streams that are closed while their implementation still runs. */
  #orphans = 0;
  /** The last ids that the client left out, both ends excluded. */
  #passedOver = { from: 0, to: 0 };
  #goneAway = false;
  #refusing = false;
  #headBlock: { revision: number; octets: Buffer } | undefined;
  #okBlock: { revision: number; octets: Buffer } | undefined;
  #handshake: NodeJS.Timeout | undefined;
  #keepalive: NodeJS.Timeout | undefined;
  #pongDue: NodeJS.Timeout | undefined;
  #drainDue: NodeJS.Timeout | undefined;

  constructor(socket: Socket, options: ServerConnectionOptions) {
    super(socket);
    this.#options = options;
    this.peerAddress = addressOf(socket);
    this.#handshake = setTimeout(() => this.abandon("no HTTP/2 was spoken"), handshakeTimeoutMs).unref();
    this.announce([[Setting.MAX_CONCURRENT_STREAMS, options.maxConcurrentStreams]]);
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
  }

  /** Says GOAWAY, lets the calls that run end, then closes (RFC 9113, section 6.8). */
  drain(): void {
    if (this.#goneAway || this.isOver) return;
    this.#goneAway = true;
    // Calls that are on their way are still taken: only the answer to a ping tells that none is.
    this.writer.goAway(maxStreamId, ErrorCode.NO_ERROR, "the server is going away");
    this.writer.ping(Buffer.from("drained?"), 0, false);
    this.#drainDue = setTimeout(() => this.#refuse(), drainPingMs);
  }

  /** Ends the calls that run, then closes. */
  stop(): void {
    for (const stream of this.streams.all()) (stream as ServerStream | RefusedStream).stop();
    if (this.isOver) return;
    this.writer.goAway(this.#lastId, ErrorCode.NO_ERROR, "the server was stopped");
    this.end("the server was stopped");
  }

  sendHeaders(stream: ServerStream, metadata: Metadata | undefined, compressed: boolean): void {
    if (this.streams.get(stream.id) !== stream) return;
    const { encoder } = this;
    if (metadata === undefined && !compressed && this.#headBlock?.revision === encoder.revision) {
      return this.writeHeaders(stream, this.#headBlock.octets, false);
    }
    encoder.begin();
    encoder.field(":status", "200", "plain");
    encoder.field("content-type", "application/grpc", "index");
    if (compressed) encoder.field("grpc-encoding", "gzip", "index");
    if (metadata !== undefined) encodeMetadata(encoder, metadata, false);
    const block = encoder.end();
    if (metadata === undefined && !compressed) this.#headBlock = this.#kept(block, 2);
    this.writeHeaders(stream, block, false);
  }

  /** False when the stream's `onWritable` is to be waited for. The message is the caller's again at once. */
  sendMessage(stream: ServerStream, message: Uint8Array, compressed: boolean): boolean {
    if (this.streams.get(stream.id) !== stream) return true;
    if (compressed) return this.writeMessage(stream, gzipSync(message), true, false, false);
    return this.writeMessage(stream, message, false, false, true);
  }

  /** Ends a stream with its status, behind the messages that still wait. */
  finish(
    stream: ServerStream,
    error: GrpcError | undefined,
    trailers: Metadata | undefined,
    headersSent: boolean,
  ): void {
    if (this.streams.get(stream.id) !== stream) return;
    const encode = (): Buffer => this.#trailers(error, trailers, headersSent);
    if (stream.outgoing === undefined) this.writeHeaders(stream, encode(), true);
    else this.outbound.finish(stream, encode);
  }

  /** Answers what is no gRPC. */
  refuse(stream: RefusedStream): void {
    const { encoder } = this;
    encoder.begin();
    encoder.field(":status", stream.status, "index");
    encoder.field("content-type", "text/plain", "index");
    this.writeHeaders(stream, encoder.end(), false);
    this.outbound.body(stream, notGrpc);
  }

  /** A client has cancelled a call in time. Throws ConnectionFault when that was one too many. */
  countReset(): void {
    if (this.#resets.spend(1)) return;
    throw new ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, "too many calls were cancelled");
  }

  implementationEnded(stream: ServerStream): void {
    if (this.streams.get(stream.id) !== stream) this.#orphans--;
  }

  protected onHeaderBlock(id: number, block: HeaderBlock, endStream: boolean): void {
    if (id % 2 === 0) throw new ConnectionFault(ErrorCode.PROTOCOL_ERROR, "a client's streams are odd");
    if (id > this.#lastId + 2) this.#passedOver = { from: this.#lastId, to: id };
    this.#lastId = id;
    const head = requestHead(block);
    if (!block.tooLarge && !head.wellFormed) return this.#refuseStream(id, ErrorCode.PROTOCOL_ERROR);
    if (
      this.#refusing ||
      this.streams.size + this.#orphans >= this.#options.maxConcurrentStreams ||
      this.outbound.queuedBytes > maxQueuedBytes
    ) {
      return this.#refuseStream(id, ErrorCode.REFUSED_STREAM);
    }
    const method = this.#options.methods.get(head.path);
    const problem = block.tooLarge
      ? new GrpcError(Status.RESOURCE_EXHAUSTED, "the headers are too large")
      : fault(head, method);
    if (problem === undefined && head.refusal !== undefined) {
      this.charge(1);
      const refused = new RefusedStream(this, head.refusal, head.contentLength);
      return this.#begin(refused, id, endStream);
    }
    if (problem !== undefined || method === undefined) return this.#answerAtOnce(id, problem, endStream);
    this.#begin(new ServerStream(this, method, block, this.#options.maxBytes), id, endStream);
  }

  /** A client opens its streams in order, and says no more of one that it has ended (RFC 9113, section 5.1). */
  protected override onHeadersOfClosed(id: number): void {
    const passedOver = id > this.#passedOver.from && id < this.#passedOver.to;
    throw new ConnectionFault(
      passedOver ? ErrorCode.PROTOCOL_ERROR : ErrorCode.STREAM_CLOSED,
      passedOver ? "a stream that was passed over" : "HEADERS of a stream that is over",
    );
  }

  protected onGoAway(): void {}

  protected onPingAck(): void {
    if (this.#drainDue !== undefined) this.#refuse();
  }

  protected onSettled(): void {
    clearTimeout(this.#handshake);
    this.#keepalive = setInterval(() => this.#keepAlive(), keepaliveMs).unref();
  }

  protected onSettingsChanged(): void {}

  protected onStreamClosed(stream: Stream): void {
    if ((stream as ServerStream | RefusedStream).isRunning) this.#orphans++;
    this.#endWhenIdle();
  }

  /** The answer is complete: what the client still sends is of no use (RFC 9113, section 8.1). */
  protected onLocalEnd(stream: Stream): void {
    this.resetStream(stream, ErrorCode.NO_ERROR);
  }

  protected onOver(): void {
    clearTimeout(this.#handshake);
    clearInterval(this.#keepalive);
    clearTimeout(this.#pongDue);
    clearTimeout(this.#drainDue);
    this.#options.onOver(this);
  }

  protected isIdle(streamId: number): boolean {
    return streamId > this.#lastId || streamId % 2 === 0;
  }

  protected get lastPeerStreamId(): number {
    return this.#lastId;
  }

  #read(chunk: Buffer): void {
    const left = this.#prefaceLeft;
    if (left === undefined) return this.receive(chunk);
    const length = Math.min(left.length, chunk.length);
    if (left.compare(chunk, 0, length, 0, length) !== 0) {
      return this.fail(new ConnectionFault(ErrorCode.PROTOCOL_ERROR, "this is not HTTP/2"));
    }
    this.#prefaceLeft = length < left.length ? left.subarray(length) : undefined;
    if (length < chunk.length) this.receive(chunk.subarray(length));
  }

  #refuseStream(id: number, code: number): void {
    this.charge(1);
    this.writer.resetStream(id, code);
  }

  #begin(stream: ServerStream | RefusedStream, id: number, endStream: boolean): void {
    if (endStream) stream.remoteEnded = true;
    this.openStream(stream, id);
    stream.begin(endStream);
  }

  /** A call that never runs: its answer is all that there is of it. */
  #answerAtOnce(id: number, error: GrpcError | undefined, endStream: boolean): void {
    const { encoder } = this;
    this.charge(1);
    encoder.begin();
    encoder.field(":status", "200", "plain");
    encoder.field("content-type", "application/grpc", "index");
    if (error !== undefined) encodeError(encoder, error, undefined);
    this.writer.headers(id, encoder.end(), true, this.peer.maxFrameLength);
    if (!endStream) this.writer.resetStream(id, ErrorCode.NO_ERROR);
  }

  #trailers(error: GrpcError | undefined, trailers: Metadata | undefined, headersSent: boolean): Buffer {
    const { encoder } = this;
    const plain = error === undefined && trailers === undefined;
    if (plain && this.#okBlock?.revision === encoder.revision) return this.#okBlock.octets;
    encoder.begin();
    if (!headersSent) {
      encoder.field(":status", "200", "plain");
      encoder.field("content-type", "application/grpc", "index");
    }
    if (error !== undefined) encodeError(encoder, error, trailers);
    else {
      encoder.field("grpc-status", "0", "index");
      if (trailers !== undefined) encodeMetadata(encoder, trailers, false);
    }
    const block = encoder.end();
    if (plain && headersSent) this.#okBlock = this.#kept(block, 1);
    return block;
  }

  /** Keeps a block that is indices alone, one octet each: another would enter the client's table again. */
  #kept(block: Buffer, fields: number): { revision: number; octets: Buffer } | undefined {
    if (block.length !== fields) return undefined;
    return { revision: this.encoder.revision, octets: Buffer.from(block) };
  }

  /** The client has seen that the server goes away: what it sends from now on it can send elsewhere. */
  #refuse(): void {
    clearTimeout(this.#drainDue);
    this.#drainDue = undefined;
    if (this.isOver) return;
    this.#refusing = true;
    this.writer.goAway(this.#lastId, ErrorCode.NO_ERROR, "the server is going away");
    this.#endWhenIdle();
  }

  #endWhenIdle(): void {
    if (!this.#refusing || this.streams.size > 0) return;
    setImmediate(() => {
      if (this.streams.size === 0) this.end("the server is going away");
    });
  }

  #keepAlive(): void {
    if (this.heard) {
      this.heard = false;
      return;
    }
    if (this.#pongDue !== undefined) return;
    this.writer.ping(Buffer.from("chirrup?"), 0, false);
    this.#pongDue = setTimeout(() => {
      this.#pongDue = undefined;
      if (!this.heard) this.abandon("the client does not answer pings");
    }, keepaliveTimeoutMs).unref();
  }
}

function fault(head: RequestHead, method: Method | undefined): GrpcError | undefined {
  if (head.refusal !== undefined) return undefined;
  if (method === undefined) {
    return new GrpcError(Status.UNIMPLEMENTED, `there is no method ${head.path.slice(0, 200)}`);
  }
  if (Number.isNaN(head.timeoutMs)) return new GrpcError(Status.INTERNAL, "grpc-timeout cannot be read");
  if (head.encoding !== undefined && head.encoding !== "gzip") {
    return new GrpcError(
      Status.UNIMPLEMENTED,
      `messages compressed by ${head.encoding.slice(0, 50)} are not read`,
    );
  }
  return undefined;
}

function addressOf({ remoteAddress = "", remotePort = 0 }: Socket): string {
  return remoteAddress.includes(":") ? `[${remoteAddress}]:${remotePort}` : `${remoteAddress}:${remotePort}`;
}
