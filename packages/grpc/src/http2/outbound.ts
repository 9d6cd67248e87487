import type { FrameWriter } from "./frame-writer.ts";
import { defaultWindow } from "./protocol.ts";
import type { PeerSettings } from "./settings.ts";
import type { Outgoing, Stream } from "./stream.ts";

/** Larger frames than this are not sent, whatever the peer takes: streams take turns by frames. */
const maxFrameLength = 16_384;
/** What one turn of the event loop writes before it lets others run. */
const maxPerTurn = 262_144;

/**
 * Data on its way out, as the windows of the peer and the socket allow (RFC 9113, section 5.2). What may not be sent
 * yet waits in its stream; streams that wait for the connection take turns.
 */
export class Outbound {
  /** Octets of DATA that the peer takes on this connection. */
  window: number = defaultWindow;
  /** Octets that wait in all streams. */
  queuedBytes = 0;
  readonly #writer: FrameWriter;
  readonly #peer: PeerSettings;
  readonly #onEnd: (stream: Stream) => void;
  readonly #waiting = new Set<Stream>();

  constructor(writer: FrameWriter, peer: PeerSettings, onEnd: (stream: Stream) => void) {
    this.#writer = writer;
    this.#peer = peer;
    this.#onEnd = onEnd;
  }

  /**
   * Sends one message, now or when it may be; false when it has to wait. A `borrowed` one is the caller's again when
   * this returns.
   */
  message(
    stream: Stream,
    message: Uint8Array,
    compressed: boolean,
    endStream: boolean,
    borrowed: boolean,
  ): boolean {
    const length = message.length + 5;
    if (
      stream.outgoing === undefined &&
      length <= stream.sendWindow &&
      length <= this.window &&
      length <= maxFrameLength &&
      this.#mayWrite()
    ) {
      stream.sendWindow -= length;
      this.window -= length;
      this.#writer.message(stream.id, message, compressed, endStream);
      if (endStream) this.#onEnd(stream);
      return true;
    }
    const item: Outgoing = { message, compressed, sent: -5, endStream, trailers: undefined };
    this.#queue(stream, item);
    if (borrowed && stream.outgoing?.includes(item) === true) item.message = Buffer.from(message);
    return stream.outgoing === undefined;
  }

  /** Sends octets that are no message, and ends the stream. */
  body(stream: Stream, octets: Uint8Array): void {
    this.#queue(stream, {
      message: octets,
      compressed: false,
      sent: 0,
      endStream: true,
      trailers: undefined,
    });
  }

  /** Ends the stream behind what it still has to send: with trailers, or with nothing more. */
  finish(stream: Stream, trailers: (() => Uint8Array) | undefined): void {
    this.#queue(stream, { message: undefined, compressed: false, sent: 0, endStream: true, trailers });
  }

  /** A stream's window was opened. */
  resume(stream: Stream): void {
    if (stream.outgoing === undefined) return;
    this.#waiting.add(stream);
    this.pump();
  }

  /** Goes on with the streams that wait for the connection. Without a window each gets one turn, for its trailers. */
  pump(): void {
    for (let turns = this.#waiting.size; this.#waiting.size > 0 && this.#mayWrite(); turns--) {
      if (turns <= 0 && this.window <= 0) return;
      const stream = this.#next();
      if (stream === undefined) return;
      this.#waiting.delete(stream);
      if (this.#writeSome(stream)) this.#waiting.add(stream);
    }
  }

  forget(stream: Stream): void {
    this.#waiting.delete(stream);
    this.queuedBytes -= stream.outgoingBytes;
    stream.outgoingBytes = 0;
    stream.outgoing = undefined;
  }

  #next(): Stream | undefined {
    for (const stream of this.#waiting) return stream;
    return undefined;
  }

  #mayWrite(): boolean {
    return !this.#writer.blocked && this.#writer.writtenThisTurn < maxPerTurn;
  }

  #queue(stream: Stream, item: Outgoing): void {
    const size = item.message === undefined ? 0 : item.message.length - item.sent;
    stream.outgoingBytes += size;
    this.queuedBytes += size;
    if (stream.outgoing === undefined) stream.outgoing = [item];
    else stream.outgoing.push(item);
    if (stream.outgoing.length > 1) return;
    this.#waiting.add(stream);
    if (item.message === undefined || this.window > 0) this.pump();
  }

  /** Writes up to a frame; true when the stream could go on if the connection let it. */
  #writeSome(stream: Stream): boolean {
    const { outgoing } = stream;
    const item = outgoing?.[0];
    if (outgoing === undefined || item === undefined) return false;
    if (item.message !== undefined) {
      const left = item.message.length - item.sent;
      const length = Math.min(
        left,
        stream.sendWindow,
        this.window,
        maxFrameLength,
        this.#peer.maxFrameLength,
      );
      // Without the stream's window it is not the connection that it waits for.
      if (length <= 0) return stream.sendWindow > 0;
      const end = item.sent + length;
      const done = length === left;
      this.#writer.messagePart(
        stream.id,
        item.message,
        item.compressed,
        item.sent,
        end,
        done && item.endStream,
      );
      item.sent = end;
      stream.sendWindow -= length;
      this.window -= length;
      stream.outgoingBytes -= length;
      this.queuedBytes -= length;
      if (!done) return true;
    } else if (item.trailers === undefined) {
      this.#writer.endOfStream(stream.id);
    } else {
      this.#writer.headers(stream.id, item.trailers(), true, this.#peer.maxFrameLength);
    }
    outgoing.shift();
    if (item.endStream) {
      stream.outgoing = undefined;
      this.#onEnd(stream);
      return false;
    }
    if (outgoing.length > 0) return true;
    stream.outgoing = undefined;
    stream.onWritable();
    return false;
  }
}
