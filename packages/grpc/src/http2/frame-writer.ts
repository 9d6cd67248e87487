import { Flag, FrameType, frameHeaderLength } from "./protocol.ts";
import { Segment } from "./segment.ts";

/** Where the octets go: the part of a socket that writing needs. */
export interface Sink {
  write(octets: Buffer, written: () => void): boolean;
  readonly writableLength: number;
}

/** Most connections never need a whole segment. */
const firstSegmentLength = 4_096;

/**
 * Frames on their way to the socket. What is written in one turn of the event loop leaves in one write: the system
 * call costs more than all else that is done for a small call.
 */
export class FrameWriter {
  readonly #sink: Sink;
  readonly #onTurn: () => void;
  #segment: Segment = new Segment(firstSegmentLength);
  #buffer: Buffer = this.#segment.buffer;
  /** What is before `#sent` belongs to the socket. */
  #sent = 0;
  #end = 0;
  #scheduled = false;
  #closed = false;
  /** The socket holds as much as it wants to; data waits for `drained`. */
  blocked = false;
  /** Octets since the turn began. */
  writtenThisTurn = 0;

  /** `onTurn` is called after each write of a turn. */
  constructor(sink: Sink, onTurn: () => void) {
    this.#sink = sink;
    this.#onTurn = onTurn;
  }

  /** Octets that the system has not taken yet. */
  get pending(): number {
    return this.#sink.writableLength + this.#end - this.#sent;
  }

  /** DATA with one whole gRPC message behind its prefix of five octets, not compressed or compressed. */
  message(streamId: number, message: Uint8Array, compressed: boolean, endStream: boolean): void {
    const { length } = message;
    this.#header(length + 5, FrameType.DATA, endStream ? Flag.END_STREAM : 0, streamId);
    this.#prefix(length, compressed);
    this.#octets(message, 0, length);
  }

  /** DATA with `message[start, end)`; where `start` is negative it begins with as much of the prefix. */
  messagePart(
    streamId: number,
    message: Uint8Array,
    compressed: boolean,
    start: number,
    end: number,
    endStream: boolean,
  ): void {
    this.#header(end - start, FrameType.DATA, endStream ? Flag.END_STREAM : 0, streamId);
    let from = start;
    if (from < 0) {
      const prefix = Buffer.alloc(5);
      prefix[0] = compressed ? 1 : 0;
      prefix.writeUInt32BE(message.length, 1);
      const until = Math.min(end, 0);
      this.#octets(prefix, from + 5, until + 5);
      from = until;
    }
    if (end > from) this.#octets(message, from, end);
  }

  /** Empty DATA that ends the stream. */
  endOfStream(streamId: number): void {
    this.#header(0, FrameType.DATA, Flag.END_STREAM, streamId);
  }

  /** A header block, over as many frames as it takes. */
  headers(streamId: number, block: Uint8Array, endStream: boolean, maxFrameLength: number): void {
    const endFlag = endStream ? Flag.END_STREAM : 0;
    const { length } = block;
    if (length <= maxFrameLength) {
      this.#header(length, FrameType.HEADERS, Flag.END_HEADERS | endFlag, streamId);
      this.#octets(block, 0, length);
      return;
    }
    for (let at = 0; at < length; at += maxFrameLength) {
      const end = Math.min(at + maxFrameLength, length);
      const flags = (at === 0 ? endFlag : 0) | (end === length ? Flag.END_HEADERS : 0);
      this.#header(end - at, at === 0 ? FrameType.HEADERS : FrameType.CONTINUATION, flags, streamId);
      this.#octets(block, at, end);
    }
  }

  resetStream(streamId: number, code: number): void {
    this.#header(4, FrameType.RST_STREAM, 0, streamId);
    this.#uint32(code);
  }

  windowUpdate(streamId: number, increment: number): void {
    this.#header(4, FrameType.WINDOW_UPDATE, 0, streamId);
    this.#uint32(increment);
  }

  settings(settings: readonly (readonly [id: number, value: number])[]): void {
    this.#header(settings.length * 6, FrameType.SETTINGS, 0, 0);
    for (const [id, value] of settings) {
      this.#buffer[this.#end++] = id >>> 8;
      this.#buffer[this.#end++] = id;
      this.#uint32(value);
    }
  }

  settingsAck(): void {
    this.#header(0, FrameType.SETTINGS, Flag.ACK, 0);
  }

  /** `opaque[start, start + 8)` is the ping's payload. */
  ping(opaque: Uint8Array, start: number, ack: boolean): void {
    this.#header(8, FrameType.PING, ack ? Flag.ACK : 0, 0);
    this.#octets(opaque, start, start + 8);
  }

  goAway(lastStreamId: number, code: number, reason: string): void {
    const text = Buffer.from(reason, "latin1");
    this.#header(8 + text.length, FrameType.GOAWAY, 0, 0);
    this.#uint32(lastStreamId);
    this.#uint32(code);
    this.#octets(text, 0, text.length);
  }

  /** Octets that are no frame: the preface. */
  raw(octets: Uint8Array): void {
    this.#octets(octets, 0, octets.length);
  }

  /** Gives the socket what there is. */
  flush(): void {
    if (this.#end === this.#sent || this.#closed) return;
    const octets = this.#buffer.subarray(this.#sent, this.#end);
    this.#sent = this.#end;
    this.#segment.writing();
    if (!this.#sink.write(octets, this.#segment.written)) this.blocked = true;
  }

  /** Nothing reaches the socket any more. */
  close(): void {
    this.#closed = true;
    this.#segment.retire();
    this.#segment = new Segment(firstSegmentLength);
    this.#buffer = this.#segment.buffer;
    this.#sent = 0;
    this.#end = 0;
  }

  #header(length: number, type: number, flags: number, streamId: number): void {
    this.#reserve(frameHeaderLength + (length < 64 ? length : 64));
    const buffer = this.#buffer;
    const at = this.#end;
    buffer[at] = length >>> 16;
    buffer[at + 1] = length >>> 8;
    buffer[at + 2] = length;
    buffer[at + 3] = type;
    buffer[at + 4] = flags;
    buffer[at + 5] = streamId >>> 24;
    buffer[at + 6] = streamId >>> 16;
    buffer[at + 7] = streamId >>> 8;
    buffer[at + 8] = streamId;
    this.#end = at + frameHeaderLength;
    this.writtenThisTurn += frameHeaderLength + length;
  }

  #prefix(length: number, compressed: boolean): void {
    this.#buffer[this.#end++] = compressed ? 1 : 0;
    this.#uint32(length);
  }

  #uint32(value: number): void {
    const buffer = this.#buffer;
    const at = this.#end;
    buffer[at] = value >>> 24;
    buffer[at + 1] = value >>> 16;
    buffer[at + 2] = value >>> 8;
    buffer[at + 3] = value;
    this.#end = at + 4;
  }

  #octets(octets: Uint8Array, start: number, end: number): void {
    const length = end - start;
    if (length <= 32) {
      this.#reserve(length);
      const buffer = this.#buffer;
      let at = this.#end;
      for (let from = start; from < end; from++) buffer[at++] = octets[from] as number;
      this.#end = at;
      return;
    }
    for (let from = start; from < end;) {
      if (this.#end === this.#buffer.length) this.#reserve(1);
      const taken = Math.min(end - from, this.#buffer.length - this.#end);
      this.#buffer.set(
        start === 0 && taken === octets.length ? octets : octets.subarray(from, from + taken),
        this.#end,
      );
      this.#end += taken;
      from += taken;
    }
  }

  /**
   * What is written from here on leaves when the promises that are settled have run, which is sooner than the end of
   * the turn and costs less: the answers to what was just read are there by then, if nothing else is waited for.
   */
  settle(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(this.#settled);
  }

  #reserve(octets: number): void {
    if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(this.#turn);
    }
    if (this.#buffer.length - this.#end >= octets) return;
    this.flush();
    this.#segment.retire();
    this.#segment = Segment.take();
    this.#buffer = this.#segment.buffer;
    this.#sent = 0;
    this.#end = 0;
  }

  readonly #settled = (): void => {
    process.nextTick(this.#turn);
  };

  readonly #turn = (): void => {
    this.#scheduled = false;
    this.flush();
    this.writtenThisTurn = 0;
    this.#onTurn();
  };
}
