import { GrpcError } from "../error.ts";
import { Status } from "../status.ts";
import { tooLarge } from "../wire/message-reader.ts";
import { ClientCall, type CallSetup, type Router } from "./client-call.ts";
import type { ClientConnection } from "./client-connection.ts";

type Result = IteratorResult<Uint8Array, undefined>;

/** What a caller's iterator returns at its end is of no interest. */
type Requested = IteratorResult<Uint8Array, unknown>;

interface Reader {
  resolve(result: Result): void;
  reject(error: GrpcError): void;
}

interface Held {
  readonly message: Uint8Array;
  readonly wireLength: number;
}

/**
 * One request or many, many answers. What is not read is held, and the server is slowed down when that reaches the
 * stream's window. The status counts when all messages before it have been read.
 */
export class StreamingCall extends ClientCall {
  /** One message, or those that are sent one by one as the server takes them. */
  readonly #request: Uint8Array | AsyncIterable<Uint8Array>;
  readonly #held: Held[] = [];
  readonly #readers: Reader[] = [];
  #ended = false;
  #error: GrpcError | undefined;
  #sending: AsyncIterator<Uint8Array> | undefined;
  #writable: (() => void) | undefined;

  constructor(router: Router, setup: CallSetup, request: Uint8Array | AsyncIterable<Uint8Array>) {
    super(router, setup);
    this.#request = request;
  }

  async next(): Promise<Result> {
    const held = this.#held.shift();
    if (held !== undefined) {
      this.connection?.release(this, held.wireLength);
      return { done: false, value: held.message };
    }
    if (this.#ended) {
      const error = this.#error;
      this.#error = undefined;
      if (error !== undefined) throw error;
      return { done: true, value: undefined };
    }
    return new Promise((resolve, reject) => {
      this.#readers.push({ resolve, reject });
    });
  }

  /** The reader has had enough. */
  leave(): void {
    this.#held.length = 0;
    this.cancel(new GrpcError(Status.CANCELLED, "the reader left"));
    this.#error = undefined;
  }

  onOpened(connection: ClientConnection): void {
    if (this.#request instanceof Uint8Array) connection.sendMessage(this, this.#request, true);
    else void this.#send(connection, this.#request);
  }

  onMessage(message: Buffer, wireLength: number): void {
    const reader = this.#readers.shift();
    if (reader !== undefined) {
      this.connection?.consumed(this, wireLength);
      return reader.resolve({ done: false, value: message });
    }
    // A small message would hold the whole chunk that it was read in.
    this.#held.push({ message: message.length < 4_096 ? Buffer.from(message) : message, wireLength });
    this.connection?.hold(this, wireLength);
  }

  onWritable(): void {
    this.#writable?.();
  }

  /** What was taken from the caller's iterator is gone. */
  protected get rewinds(): boolean {
    return this.#sending === undefined;
  }

  protected onFinished(error: GrpcError | undefined): void {
    this.#ended = true;
    this.#error = error;
    this.#writable?.();
    for (const reader of this.#readers.splice(0)) {
      const failure = this.#error;
      this.#error = undefined;
      if (failure === undefined) reader.resolve({ done: true, value: undefined });
      else reader.reject(failure);
    }
  }

  async #send(connection: ClientConnection, requests: AsyncIterable<Uint8Array>): Promise<void> {
    const iterator = requests[Symbol.asyncIterator]();
    this.#sending = iterator;
    try {
      for (;;) {
        const requested: Requested = await iterator.next();
        if (this.done) break;
        if (requested.done === true) return connection.endRequest(this);
        const message = requested.value;
        if (message.byteLength > this.setup.maxBytes) throw tooLarge(message.byteLength, this.setup.maxBytes);
        if (!connection.sendMessage(this, message, false)) await this.#untilWritable();
      }
      await iterator.return?.();
    } catch (cause) {
      const error =
        cause instanceof GrpcError
          ? cause
          : new GrpcError(Status.CANCELLED, "the requests failed", { cause });
      this.cancel(error);
    }
  }

  async #untilWritable(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#writable = resolve;
    });
    this.#writable = undefined;
  }
}
