import type { HeaderBlock } from "../hpack/decoder.ts";
import type { Cancellation } from "../cancellation.ts";
import { arm, disarm, type Timed } from "../deadlines.ts";
import { GrpcError } from "../error.ts";
import { ErrorCode } from "../http2/protocol.ts";
import { Stream } from "../http2/stream.ts";
import type { Metadata } from "../metadata.ts";
import { Status } from "../status.ts";
import { decodeMetadata } from "../wire/fields.ts";
import { MessageReader, type MessageSink } from "../wire/message-reader.ts";
import { errorOfTrailers, responseFields, statusOfHttp, statusOfReset } from "../wire/status-fields.ts";
import type { ClientConnection } from "./client-connection.ts";

export interface CallSetup {
  readonly path: string;
  readonly metadata: Metadata | undefined;
  /** By `performance.now()`; Infinity for none. */
  readonly deadlineAtMs: number;
  readonly signal: Cancellation | undefined;
  readonly waitForReady: boolean;
  /** Whether the call may be made again although a server may have begun it. */
  readonly repeatable: boolean;
  /** Whether `grpc-encoding` says gzip. */
  readonly compress: boolean;
  /** Which messages are compressed then; undefined for all. */
  readonly compresses: ((message: Uint8Array) => boolean) | undefined;
  readonly onHeaders: ((headers: Metadata) => void) | undefined;
  readonly onTrailers: ((trailers: Metadata) => void) | undefined;
  readonly maxBytes: number;
}

/** Where a call goes that could not be made, or was refused. */
export interface Router {
  /** Sends the call over another connection; false when it may not be sent again. */
  again(call: ClientCall, begun: boolean): boolean;
  ended(call: ClientCall, failed: boolean): void;
}

/** A call as its client sees it, over one connection or, when the first refuses it, over several in turn. */
export abstract class ClientCall extends Stream implements Timed, MessageSink {
  readonly setup: CallSetup;
  readonly deadlineAtMs: number;
  wheelNext: Timed | undefined;
  wheelPrevious: Timed | undefined;
  wheelSlot = -1;
  connection: ClientConnection | undefined;
  attempts = 0;
  done = false;
  protected headersBlock: HeaderBlock | undefined;
  protected trailersBlock: HeaderBlock | undefined;
  readonly #router: Router;
  #reader: MessageReader | undefined;

  protected constructor(router: Router, setup: CallSetup) {
    super();
    this.#router = router;
    this.setup = setup;
    this.deadlineAtMs = setup.deadlineAtMs;
    if (this.deadlineAtMs !== Number.POSITIVE_INFINITY) arm(this);
    setup.signal?.addEventListener("abort", this);
  }

  /** The connection has opened the stream and sent the headers: now the messages. */
  abstract onOpened(connection: ClientConnection): void;
  abstract onMessage(message: Buffer, wireLength: number): void;
  protected abstract onFinished(error: GrpcError | undefined): void;
  /** Whether what was sent can be sent again. */
  protected abstract get rewinds(): boolean;

  /** The signal's event. */
  handleEvent(): void {
    this.cancel(cancelled(this.setup.signal));
  }

  onDeadline(): void {
    this.cancel(new GrpcError(Status.DEADLINE_EXCEEDED, "the deadline passed"));
  }

  /** Ends the call on both sides. */
  cancel(error: GrpcError): void {
    if (this.done) return;
    this.connection?.drop(this);
    this.finish(error);
  }

  onHeaders(block: HeaderBlock, endStream: boolean): void {
    if (block.tooLarge)
      return this.cancel(new GrpcError(Status.RESOURCE_EXHAUSTED, "the headers are too large"));
    if (endStream) return this.#onTrailers(block);
    const { httpStatus, contentType, encoding } = responseFields(block);
    // Informational answers come before the one that counts.
    if (this.headersBlock === undefined && httpStatus?.startsWith("1") === true) return;
    if (this.headersBlock !== undefined) return this.#violate("headers in the midst of messages");
    this.headersBlock = block;
    if (httpStatus !== "200" || contentType?.startsWith("application/grpc") !== true) {
      return this.cancel(notGrpc(httpStatus, contentType));
    }
    if (encoding !== undefined && encoding !== "identity") this.#readerOf().encoding = encoding;
    this.#tell(this.setup.onHeaders, block);
  }

  onData(buffer: Buffer, start: number, end: number, endStream: boolean): void {
    if (this.headersBlock === undefined) return this.#violate("messages without headers");
    try {
      const reader = this.#readerOf();
      reader.push(buffer, start, end, this);
      if (this.done) return;
      if (endStream) return this.#violate("an end without a status");
      if (reader.awaitedLength > 0) this.connection?.expect(this, reader.awaitedLength);
    } catch (error) {
      this.cancel(
        error instanceof GrpcError
          ? error
          : new GrpcError(Status.INTERNAL, "internal error", { cause: error }),
      );
    }
  }

  onReset(code: number, byPeer: boolean): void {
    if (this.done) return;
    if (byPeer && code === ErrorCode.REFUSED_STREAM && this.retry(false)) return;
    if (!byPeer) return this.finish(new GrpcError(Status.INTERNAL, "the server broke the protocol"));
    // A server that cancels a call whose time is up says the same as this end's own timer.
    const late = code === ErrorCode.CANCEL && performance.now() >= this.deadlineAtMs;
    const status = late ? Status.DEADLINE_EXCEEDED : statusOfReset(code);
    this.finish(
      new GrpcError(status, late ? "the deadline passed" : `the server reset the stream with code ${code}`),
    );
  }

  onLost(reason: string): void {
    if (this.done || this.retry(true)) return;
    this.finish(new GrpcError(Status.UNAVAILABLE, reason));
  }

  /** The server has said that it did not and will not look at the call. */
  onRefused(reason: string): void {
    if (this.done || this.retry(false)) return;
    this.finish(new GrpcError(Status.UNAVAILABLE, reason));
  }

  protected retry(begun: boolean): boolean {
    if (this.headersBlock !== undefined || !this.rewinds) return false;
    if (begun && !this.setup.repeatable) return false;
    this.connection = undefined;
    this.renew();
    this.#reader = undefined;
    return this.#router.again(this, begun);
  }

  finish(error: GrpcError | undefined): void {
    if (this.done) return;
    this.done = true;
    disarm(this);
    this.setup.signal?.removeEventListener("abort", this);
    this.#router.ended(this, error?.code === Status.UNAVAILABLE);
    this.onFinished(error);
  }

  #onTrailers(block: HeaderBlock): void {
    this.trailersBlock = block;
    this.#tell(this.setup.onTrailers, block);
    const { httpStatus, status } = responseFields(block);
    if (this.headersBlock === undefined && status === undefined && httpStatus !== "200") {
      this.finish(notGrpc(httpStatus, undefined));
    } else if (this.#reader?.atBoundary === false) {
      this.finish(new GrpcError(Status.INTERNAL, "the stream ended within a message"));
    } else {
      this.finish(errorOfTrailers(block));
    }
    // The server wants no more of the request.
    if (!this.localEnded) this.connection?.drop(this);
  }

  /** What the caller does with metadata must not be the connection's end. */
  #tell(listener: ((metadata: Metadata) => void) | undefined, block: HeaderBlock): void {
    if (listener === undefined) return;
    try {
      listener(decodeMetadata(block.fields));
    } catch (cause) {
      this.cancel(new GrpcError(Status.INTERNAL, "a listener of the call failed", { cause }));
    }
  }

  #violate(what: string): void {
    this.cancel(new GrpcError(Status.INTERNAL, `the server sent ${what}`));
  }

  #readerOf(): MessageReader {
    this.#reader ??= new MessageReader(this.setup.maxBytes);
    return this.#reader;
  }
}

/** What a call fails with when its own signal cancelled it. */
export function cancelled(signal: Cancellation | undefined): GrpcError {
  return new GrpcError(Status.CANCELLED, "the call was cancelled", { cause: signal?.reason });
}

function notGrpc(httpStatus: string | undefined, contentType: string | undefined): GrpcError {
  const status = httpStatus === "200" ? Status.UNKNOWN : statusOfHttp(httpStatus);
  const type = contentType === undefined ? "" : ` of type ${contentType.slice(0, 100)}`;
  return new GrpcError(status, `the answer is not gRPC: HTTP status ${httpStatus ?? "missing"}${type}`);
}
