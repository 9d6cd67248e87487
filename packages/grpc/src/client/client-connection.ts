import type { Socket } from "node:net";
import { gzipSync } from "node:zlib";

import { Connection } from "../http2/connection.ts";
import { ConnectionFault } from "../http2/fault.ts";
import { ErrorCode, maxStreamId, preface, Setting } from "../http2/protocol.ts";
import type { Metadata } from "../metadata.ts";
import { encodeMetadata } from "../wire/fields.ts";
import { encodeTimeout } from "../wire/timeout.ts";
import type { ClientCall } from "./client-call.ts";

export interface ClientConnectionOptions {
  /** The `:authority` of its calls. */
  readonly authority: string;
  readonly scheme: "http" | "https";
  /** Sent with each call. */
  readonly metadata: Metadata | undefined;
  /** Undefined for no pings. */
  readonly keepaliveMs: number | undefined;
  readonly keepaliveTimeoutMs: number;
  onReady(): void;
  /** It takes no more calls; those that it has go on. */
  onDraining(): void;
  onOver(reason: string): void;
}

interface Prefix {
  readonly revision: number;
  readonly octets: Buffer;
}

const userAgent = "grpc-node-chirrup/0.1";
const maxPrefixes = 512;
/** grpc-js servers hold milliseconds in 32 bits and take a longer deadline for one long past. */
const maxTimeoutMs = 2_000_000_000;

/** A connection to a server: opens streams, as many as the server allows; the others wait their turn. */
export class ClientConnection extends Connection {
  readonly #options: ClientConnectionOptions;
  /** The fields of a path that are the same in each call, encoded. */
  readonly #prefixes = new Map<string, Prefix>();
  #waiting: ClientCall[] = [];
  #nextId = 1;
  #draining = false;
  #keepalive: NodeJS.Timeout | undefined;
  #pongDue: NodeJS.Timeout | undefined;

  constructor(socket: Socket, options: ClientConnectionOptions) {
    super(socket);
    this.#options = options;
    socket.on("data", (chunk: Buffer) => this.receive(chunk));
    this.writer.raw(preface);
    this.announce([
      [Setting.ENABLE_PUSH, 0],
      [Setting.MAX_CONCURRENT_STREAMS, 0],
    ]);
  }

  /** Takes a call. It has to be ready and not draining. */
  start(call: ClientCall): void {
    call.connection = this;
    if (this.streams.size >= this.peer.maxStreams || this.#waiting.length > 0) {
      this.#waiting.push(call);
      return;
    }
    this.#open(call);
  }

  /** Forgets a call, and tells the server if it knows of it. */
  drop(call: ClientCall): void {
    if (call.id !== 0) this.resetStream(call, ErrorCode.CANCEL);
    else this.#waiting = this.#waiting.filter((other) => other !== call);
  }

  /** False when the call's `onWritable` is to be waited for. */
  sendMessage(call: ClientCall, message: Uint8Array, last: boolean): boolean {
    const { compress, compresses } = call.setup;
    if (!compress || compresses?.(message) === false)
      return this.writeMessage(call, message, false, last, false);
    return this.writeMessage(call, gzipSync(message), true, last, false);
  }

  endRequest(call: ClientCall): void {
    if (this.streams.get(call.id) === call) this.outbound.finish(call, undefined);
  }

  /** Lets the calls that run end, then closes. */
  drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    this.#options.onDraining();
    this.#refuseWaiting("the connection is closing");
    this.#endWhenIdle();
  }

  protected onHeaderBlock(): void {
    throw new ConnectionFault(ErrorCode.PROTOCOL_ERROR, "a server opens no streams");
  }

  protected onSettled(): void {
    this.socket.unref();
    const { keepaliveMs } = this.#options;
    if (keepaliveMs !== undefined) {
      this.#keepalive = setInterval(() => this.#keepAlive(), keepaliveMs).unref();
    }
    this.#options.onReady();
  }

  protected onSettingsChanged(): void {
    this.#startWaiting();
  }

  protected onGoAway(lastStreamId: number, _code: number, reason: string): void {
    const refused: ClientCall[] = [];
    for (const stream of this.streams.all()) if (stream.id > lastStreamId) refused.push(stream as ClientCall);
    this.drain();
    for (const call of refused) {
      this.closeStream(call);
      call.onRefused(`the server is going away: ${reason}`);
    }
  }

  protected onPingAck(): void {}

  protected onLocalEnd(): void {}

  protected onStreamClosed(): void {
    this.#startWaiting();
    if (this.streams.size > 0) return;
    this.socket.unref();
    this.#endWhenIdle();
  }

  protected onOver(reason: string): void {
    clearInterval(this.#keepalive);
    clearTimeout(this.#pongDue);
    this.#draining = true;
    this.#refuseWaiting(reason);
    this.#options.onOver(reason);
  }

  protected isIdle(streamId: number): boolean {
    return streamId % 2 === 0 || streamId >= this.#nextId;
  }

  protected get lastPeerStreamId(): number {
    return 0;
  }

  #open(call: ClientCall): void {
    if (this.streams.size === 0) this.socket.ref();
    const id = this.#nextId;
    this.#nextId += 2;
    this.openStream(call, id);
    this.writeHeaders(call, this.#headers(call), false);
    call.onOpened(this);
    if (this.#nextId > maxStreamId) this.drain();
  }

  #headers(call: ClientCall): Buffer {
    const { path, metadata, compress } = call.setup;
    const { encoder } = this;
    const prefix = this.#prefixes.get(path);
    encoder.begin();
    if (prefix?.revision === encoder.revision) encoder.octets(prefix.octets);
    else this.#encodePrefix(path);
    if (call.deadlineAtMs !== Number.POSITIVE_INFINITY) {
      const leftMs = Math.min(maxTimeoutMs, Math.max(1, call.deadlineAtMs - performance.now()));
      encoder.varying("grpc-timeout", encodeTimeout(leftMs));
    }
    if (compress) encoder.field("grpc-encoding", "gzip", "index");
    if (metadata !== undefined) encodeMetadata(encoder, metadata, false);
    return encoder.end();
  }

  #encodePrefix(path: string): void {
    const { encoder } = this;
    const { authority, scheme, metadata } = this.#options;
    const start = encoder.end().length;
    const { revision } = encoder;
    encoder.field(":method", "POST", "plain");
    encoder.field(":scheme", scheme, "plain");
    encoder.field(":path", path, "index");
    encoder.field(":authority", authority, "index");
    encoder.field("te", "trailers", "index");
    encoder.field("content-type", "application/grpc", "index");
    encoder.field("user-agent", userAgent, "index");
    encoder.field("grpc-accept-encoding", "identity,gzip", "index");
    if (metadata !== undefined) encodeMetadata(encoder, metadata, true);
    // What has just entered the table would enter the peer's again, if these octets were sent once more.
    if (encoder.revision !== revision) return;
    if (this.#prefixes.size >= maxPrefixes) this.#prefixes.clear();
    this.#prefixes.set(path, { revision, octets: Buffer.from(encoder.end().subarray(start)) });
  }

  #startWaiting(): void {
    while (this.#waiting.length > 0 && this.streams.size < this.peer.maxStreams && !this.#draining) {
      const call = this.#waiting.shift();
      if (call !== undefined && !call.done) this.#open(call);
    }
  }

  #refuseWaiting(reason: string): void {
    for (const call of this.#waiting.splice(0)) call.onRefused(reason);
  }

  #endWhenIdle(): void {
    if (!this.#draining || this.streams.size > 0) return;
    // Out of the frame that is being read: there may be more behind it.
    setImmediate(() => {
      if (this.streams.size === 0) this.end("the connection is closed");
    });
  }

  /** Pings a server that was silent for a whole interval although it has calls. */
  #keepAlive(): void {
    if (this.heard || this.streams.size === 0) {
      this.heard = false;
      clearTimeout(this.#pongDue);
      this.#pongDue = undefined;
      return;
    }
    if (this.#pongDue !== undefined) return;
    this.writer.ping(Buffer.from("chirrup?"), 0, false);
    this.#pongDue = setTimeout(() => {
      if (!this.heard) this.abandon("the server does not answer pings");
    }, this.#options.keepaliveTimeoutMs);
    this.#pongDue.unref();
  }
}
