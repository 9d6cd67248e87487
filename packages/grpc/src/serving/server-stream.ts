import type { DescMethod, Message } from "@bufbuild/protobuf";

import { Canceller } from "../cancellation.ts";
import { arm, disarm, type Timed } from "../deadlines.ts";
import { GrpcError } from "../error.ts";
import type { HeaderBlock } from "../hpack/decoder.ts";
import { Stream } from "../http2/stream.ts";
import { Metadata } from "../metadata.ts";
import { encodeResponse, type ServerCall } from "../service.ts";
import { Status } from "../status.ts";
import { decodeMetadata } from "../wire/fields.ts";
import { MessageReader, tooLarge, type MessageSink } from "../wire/message-reader.ts";
import type { Method, RequestBytes } from "./methods.ts";
import { requestHead } from "./request-head.ts";
import { RequestQueue } from "./request-queue.ts";
import type { ServerConnection } from "./server-connection.ts";

/** A call as its server sees it: the stream and what the implementation is shown of it, in one object. */
export class ServerStream extends Stream implements ServerCall, Timed, MessageSink {
  readonly deadlineAtMs: number;
  wheelNext: Timed | undefined;
  wheelPrevious: Timed | undefined;
  wheelSlot = -1;
  requestCompression: "identity" | "gzip" = "identity";
  responseCompression?: "identity" | "gzip";
  attachment?: unknown;
  readonly cancellation: Canceller = new Canceller();
  readonly #connection: ServerConnection;
  readonly #method: Method;
  readonly #block: HeaderBlock;
  readonly #reader: MessageReader;
  readonly #maxBytes: number;
  #request: Uint8Array | undefined;
  #requests: RequestQueue | undefined;
  #metadata: Metadata | undefined;
  #controller: AbortController | undefined;
  #responseHeaders: Metadata | undefined;
  #responseTrailers: Metadata | undefined;
  #headersSent = false;
  #compressing = false;
  #answered = false;
  #running = false;
  #writable: (() => void) | undefined;

  constructor(connection: ServerConnection, method: Method, block: HeaderBlock, maxBytes: number) {
    super();
    const { timeoutMs, encoding } = requestHead(block);
    this.#connection = connection;
    this.#method = method;
    this.#block = block;
    this.#maxBytes = maxBytes;
    this.#reader = new MessageReader(maxBytes);
    this.#reader.encoding = encoding;
    this.deadlineAtMs = timeoutMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + timeoutMs;
    if (timeoutMs !== undefined && timeoutMs > 0) arm(this);
  }

  get method(): DescMethod {
    return this.#method.definition.method;
  }

  get path(): string {
    return this.#method.path;
  }

  get metadata(): Metadata {
    this.#metadata ??= decodeMetadata(this.#block.fields);
    return this.#metadata;
  }

  get peer(): string {
    return this.#connection.peerAddress;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.cancellation.aborted) this.#controller.abort(this.cancellation.reason);
    }
    return this.#controller.signal;
  }

  get deadlineMs(): number | undefined {
    if (this.deadlineAtMs === Number.POSITIVE_INFINITY) return undefined;
    return Date.now() + (this.deadlineAtMs - performance.now());
  }

  get responseHeaders(): Metadata {
    this.#responseHeaders ??= new Metadata();
    return this.#responseHeaders;
  }

  get responseTrailers(): Metadata {
    this.#responseTrailers ??= new Metadata();
    return this.#responseTrailers;
  }

  /** The implementation has not returned yet; it may outlive the stream. */
  get isRunning(): boolean {
    return this.#running;
  }

  /** The stream is open: a client stream's implementation runs from now on, the others when their request is here. */
  begin(endStream: boolean): void {
    if (this.deadlineAtMs <= performance.now()) return this.onDeadline();
    const { definition } = this.#method;
    if (definition.kind === "client_streaming" || definition.kind === "bidi_streaming") {
      const requests = new RequestQueue((wireLength, compressed) => {
        this.requestCompression = compressed ? "gzip" : "identity";
        this.#connection.release(this, wireLength);
      });
      this.#requests = requests;
      if (endStream) requests.end();
      if (definition.kind === "client_streaming") this.#answer(this.#method.unary(this, requests));
      else void this.#stream(requests);
      return;
    }
    if (endStream) this.#start();
  }

  onHeaders(_block: HeaderBlock, endStream: boolean): void {
    // Trailers of a request say nothing in gRPC, but end it.
    if (endStream) this.#requestEnded();
    else this.#fail(new GrpcError(Status.INTERNAL, "headers in the midst of messages"));
  }

  onData(buffer: Buffer, start: number, end: number, endStream: boolean): void {
    try {
      this.#reader.push(buffer, start, end, this);
    } catch (error) {
      return this.#fail(error);
    }
    if (this.#answered) return;
    if (endStream) this.#requestEnded();
    else if (this.#reader.awaitedLength > 0) this.#connection.expect(this, this.#reader.awaitedLength);
  }

  onMessage(message: Buffer, wireLength: number, compressed: boolean): void {
    if (this.#requests !== undefined) {
      this.#connection.hold(this, wireLength);
      return this.#requests.add(message, wireLength, compressed);
    }
    if (compressed) this.requestCompression = "gzip";
    if (this.#request !== undefined) throw new GrpcError(Status.INTERNAL, "more than one request");
    this.#request = message;
  }

  onReset(_code: number, byPeer: boolean): void {
    const late = performance.now() >= this.deadlineAtMs;
    this.#abort(
      late
        ? new GrpcError(Status.DEADLINE_EXCEEDED, "the deadline passed")
        : new GrpcError(Status.CANCELLED, "the call was cancelled"),
    );
    if (byPeer && !late) this.#connection.countReset();
  }

  onLost(reason: string): void {
    this.#abort(new GrpcError(Status.CANCELLED, `the call was cancelled: ${reason}`));
  }

  onWritable(): void {
    this.#writable?.();
  }

  onDeadline(): void {
    this.#stop(new GrpcError(Status.DEADLINE_EXCEEDED, "the deadline passed"));
  }

  /** Ends the call by force; the implementation learns of it by its signal. */
  stop(): void {
    this.#stop(
      new GrpcError(Status.UNAVAILABLE, "the server was stopped"),
      new GrpcError(Status.CANCELLED, "the server was stopped"),
    );
  }

  #stop(shown: GrpcError, reason: GrpcError = shown): void {
    if (this.#answered) return;
    this.#fail(shown);
    this.#abort(reason);
  }

  #requestEnded(): void {
    if (!this.#reader.atBoundary) {
      this.#fail(new GrpcError(Status.INTERNAL, "the request ended within a message"));
    } else if (this.#requests !== undefined) this.#requests.end();
    else this.#start();
  }

  #start(): void {
    const request = this.#request;
    if (request === undefined)
      return this.#fail(new GrpcError(Status.INTERNAL, "the request has no message"));
    if (this.#method.definition.kind === "unary") this.#answer(this.#method.unary(this, request));
    else void this.#stream(request);
  }

  #answer(answer: Promise<Message>): void {
    this.#running = true;
    answer.then(this.#onAnswer, this.#onFailure);
  }

  readonly #onAnswer = (message: Message): void => {
    this.#ran();
    if (this.#answered) return;
    try {
      this.#send(message);
      this.#finish(undefined);
    } catch (error) {
      this.#fail(error);
    }
  };

  readonly #onFailure = (error: unknown): void => {
    this.#ran();
    this.#fail(error);
  };

  async #stream(request: RequestBytes): Promise<void> {
    this.#running = true;
    try {
      for await (const message of this.#method.stream(this, request)) {
        if (this.#answered) break;
        if (!this.#send(message)) await this.#untilWritable();
        if (this.#answered) break;
      }
      this.#ran();
      if (!this.#answered) this.#finish(undefined);
    } catch (error) {
      this.#ran();
      this.#fail(error);
    }
  }

  async #untilWritable(): Promise<void> {
    if (this.#answered) return;
    await new Promise<void>((resolve) => {
      this.#writable = resolve;
    });
    this.#writable = undefined;
  }

  #ran(): void {
    this.#running = false;
    this.#connection.implementationEnded(this);
  }

  #send(message: Message): boolean {
    const bytes = encodeResponse(this.method, message);
    if (bytes.byteLength > this.#maxBytes) throw tooLarge(bytes.byteLength, this.#maxBytes);
    this.#sendHeaders();
    const compressed = this.#compressing && this.responseCompression === "gzip";
    return this.#connection.sendMessage(this, bytes, compressed);
  }

  #sendHeaders(): void {
    if (this.#headersSent) return;
    this.#headersSent = true;
    this.#compressing = this.responseCompression === "gzip" && requestHead(this.#block).acceptsGzip;
    this.#connection.sendHeaders(this, this.#responseHeaders, this.#compressing);
  }

  /** Answers with the status of whatever was thrown. */
  #fail(thrown: unknown): void {
    if (this.#answered) return;
    this.#finish(thrown instanceof GrpcError ? thrown : new GrpcError(Status.INTERNAL, "internal error"));
  }

  /** Ends the stream with its status. Without headers before, it is answered by trailers alone. */
  #finish(error: GrpcError | undefined): void {
    this.#answered = true;
    disarm(this);
    if (error === undefined || this.#responseHeaders !== undefined) this.#sendHeaders();
    this.#requests?.end(error);
    this.#connection.finish(this, error, this.#responseTrailers, this.#headersSent);
    this.#writable?.();
  }

  /** The answer is wanted no longer. */
  #abort(reason: GrpcError): void {
    disarm(this);
    this.#answered = true;
    this.#requests?.end(reason);
    this.#writable?.();
    this.cancellation.abort(reason);
    this.#controller?.abort(reason);
  }
}
