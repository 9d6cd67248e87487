import { ConnectionFault } from "./fault.ts";
import { defaultMaxFrameLength, ErrorCode, frameHeaderLength } from "./protocol.ts";

/**
 * Takes a frame whose payload is `buffer[start, end)`. The octets stay as they are for as long as somebody holds them.
 * Returns false to be given no more.
 */
export type FrameHandler = (
  type: number,
  flags: number,
  streamId: number,
  buffer: Buffer,
  start: number,
  end: number,
) => boolean;

/**
 * Cuts what a socket reads into frames (RFC 9113, section 4.1). Frames are handed on where they lie in the chunk; only
 * one that is spread over chunks is put together in a buffer of its own size.
 */
export class FrameReader {
  readonly #handler: FrameHandler;
  readonly #header = Buffer.alloc(frameHeaderLength);
  #headerFilled = 0;
  #frame: Buffer | undefined;
  #frameFilled = 0;
  #stopped = false;

  constructor(handler: FrameHandler) {
    this.#handler = handler;
  }

  /** Throws ConnectionFault for a frame above the limit (section 4.2), and what the handler throws. */
  push(chunk: Buffer): void {
    const { length } = chunk;
    let at = this.#headerFilled === 0 ? 0 : this.#resume(chunk);
    while (!this.#stopped && length - at >= frameHeaderLength) {
      const payload = payloadLength(chunk, at);
      const start = at + frameHeaderLength;
      if (payload > length - start) break;
      at = start + payload;
      this.#hand(chunk, start - frameHeaderLength, start, at);
    }
    if (this.#stopped || at === length) return;
    this.#keep(chunk, at);
  }

  /** Completes the frame that the last chunk began; returns where the next one starts. */
  #resume(chunk: Buffer): number {
    let at = 0;
    if (this.#headerFilled < frameHeaderLength) {
      at = Math.min(chunk.length, frameHeaderLength - this.#headerFilled);
      chunk.copy(this.#header, this.#headerFilled, 0, at);
      this.#headerFilled += at;
      if (this.#headerFilled < frameHeaderLength) return at;
    }
    this.#frame ??= Buffer.allocUnsafe(payloadLength(this.#header, 0));
    const frame = this.#frame;
    const taken = Math.min(frame.length - this.#frameFilled, chunk.length - at);
    chunk.copy(frame, this.#frameFilled, at, at + taken);
    this.#frameFilled += taken;
    if (this.#frameFilled === frame.length) {
      this.#headerFilled = 0;
      this.#frameFilled = 0;
      this.#frame = undefined;
      this.#hand(this.#header, 0, 0, frame.length, frame);
    }
    return at + taken;
  }

  /** Begins a frame with the end of a chunk. */
  #keep(chunk: Buffer, from: number): void {
    if (this.#headerFilled > 0) return;
    this.#headerFilled = Math.min(frameHeaderLength, chunk.length - from);
    chunk.copy(this.#header, 0, from, from + this.#headerFilled);
    if (this.#headerFilled < frameHeaderLength) return;
    this.#frame = Buffer.allocUnsafe(payloadLength(this.#header, 0));
    this.#frameFilled = chunk.copy(this.#frame, 0, from + frameHeaderLength);
  }

  #hand(header: Buffer, at: number, start: number, end: number, frame: Buffer = header): void {
    const more = this.#handler(
      header[at + 3] as number,
      header[at + 4] as number,
      (((header[at + 5] as number) & 0x7f) << 24) |
        ((header[at + 6] as number) << 16) |
        ((header[at + 7] as number) << 8) |
        (header[at + 8] as number),
      frame,
      start,
      end,
    );
    if (!more) this.#stopped = true;
  }
}

function payloadLength(header: Buffer, at: number): number {
  const length =
    ((header[at] as number) << 16) | ((header[at + 1] as number) << 8) | (header[at + 2] as number);
  if (length > defaultMaxFrameLength) {
    throw new ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, `a frame of ${length} octets`);
  }
  return length;
}
