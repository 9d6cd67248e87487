import { gunzipSync } from "node:zlib";

import { GrpcError } from "../error.ts";
import { Status } from "../status.ts";

const prefixLength = 5;
const firstLength = 65_536;

/** Takes the messages of a stream. */
export interface MessageSink {
  /**
   * `wireLength` is what the message took of the stream's window, its prefix included; `compressed` whether it was so
   * on the wire.
   */
  onMessage(message: Buffer, wireLength: number, compressed: boolean): void;
}

/**
 * Cuts a stream's data into length-prefixed messages.
 *
 * A message that lies in one piece is a view of it. One in several pieces is put together in a buffer of its own, which
 * is small until it is full: a length alone costs little memory.
 */
export class MessageReader {
  readonly #maxBytes: number;
  /** What the peer named in `grpc-encoding`; undefined for none or identity. */
  encoding: string | undefined;
  #prefix: Buffer | undefined;
  #prefixFilled = 0;
  #message: Buffer | undefined;
  #filled = 0;
  #length = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The length of a message whose end has not arrived; 0 between messages. */
  get awaitedLength(): number {
    return this.#message === undefined ? 0 : this.#length;
  }

  /** Whether the data may end here. */
  get atBoundary(): boolean {
    return this.#prefixFilled === 0;
  }

  /** Throws GrpcError for a message that is too large, or compressed in a way that was not offered. */
  push(buffer: Buffer, start: number, end: number, sink: MessageSink): void {
    let at = start;
    while (at < end) {
      if (this.#prefixFilled === 0 && end - at >= prefixLength) {
        const length = this.#lengthAt(buffer, at);
        if (length <= end - at - prefixLength) {
          const from = at + prefixLength;
          at = from + length;
          const message = buffer.subarray(from, at);
          const flag = buffer[from - prefixLength] as number;
          sink.onMessage(flag === 0 ? message : this.#open(flag, message), length + prefixLength, flag !== 0);
          continue;
        }
      }
      at = this.#collect(buffer, at, end, sink);
    }
  }

  #collect(buffer: Buffer, start: number, end: number, sink: MessageSink): number {
    let at = start;
    if (this.#prefixFilled < prefixLength) {
      this.#prefix ??= Buffer.alloc(prefixLength);
      const taken = Math.min(prefixLength - this.#prefixFilled, end - at);
      buffer.copy(this.#prefix, this.#prefixFilled, at, at + taken);
      this.#prefixFilled += taken;
      at += taken;
      if (this.#prefixFilled < prefixLength) return at;
      this.#length = this.#lengthAt(this.#prefix, 0);
      this.#filled = 0;
      this.#message = Buffer.allocUnsafeSlow(Math.min(this.#length, Math.max(firstLength, end - at)));
    }
    const taken = Math.min(this.#length - this.#filled, end - at);
    const message = this.#grown(this.#filled + taken);
    buffer.copy(message, this.#filled, at, at + taken);
    this.#filled += taken;
    if (this.#filled === this.#length) {
      this.#message = undefined;
      this.#prefixFilled = 0;
      const flag = this.#prefix?.[0] ?? 0;
      const whole = this.#open(flag, message.subarray(0, this.#length));
      sink.onMessage(whole, this.#length + prefixLength, flag !== 0);
    }
    return at + taken;
  }

  #grown(needed: number): Buffer {
    const message = this.#message ?? Buffer.alloc(0);
    if (needed <= message.length) return message;
    const whole = Buffer.allocUnsafeSlow(this.#length);
    message.copy(whole, 0, 0, this.#filled);
    this.#message = whole;
    return whole;
  }

  #lengthAt(buffer: Buffer, at: number): number {
    const length = buffer.readUInt32BE(at + 1);
    if (length > this.#maxBytes) throw tooLarge(length, this.#maxBytes);
    return length;
  }

  #open(flag: number, message: Buffer): Buffer {
    if (flag === 0) return message;
    if (flag !== 1) throw new GrpcError(Status.INTERNAL, `a message with flag ${flag}`);
    if (this.encoding !== "gzip") {
      throw this.encoding === undefined
        ? new GrpcError(Status.INTERNAL, "a compressed message without grpc-encoding")
        : new GrpcError(Status.UNIMPLEMENTED, `messages compressed by ${this.encoding} are not read`);
    }
    try {
      return gunzipSync(message, { maxOutputLength: this.#maxBytes });
    } catch (cause) {
      if ((cause as { code?: string }).code === "ERR_BUFFER_TOO_LARGE") {
        throw new GrpcError(Status.RESOURCE_EXHAUSTED, `the message is above ${this.#maxBytes} bytes`);
      }
      throw new GrpcError(Status.INTERNAL, "a compressed message cannot be read", { cause });
    }
  }
}

/** RESOURCE_EXHAUSTED for a message above the limit. */
export function tooLarge(bytes: number, maxBytes: number): GrpcError {
  return new GrpcError(Status.RESOURCE_EXHAUSTED, `message of ${bytes} bytes is above ${maxBytes}`);
}
