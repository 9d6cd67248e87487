import type { Socket } from "node:net";

import { HpackDecoder, type HeaderBlock } from "../hpack/decoder.ts";
import { HpackEncoder } from "../hpack/encoder.ts";
import { HpackError } from "../hpack/error.ts";
import { Allowance } from "./allowance.ts";
import { ConnectionFault } from "./fault.ts";
import { FrameReader } from "./frame-reader.ts";
import { FrameWriter } from "./frame-writer.ts";
import { HeaderAssembly } from "./header-assembly.ts";
import { Outbound } from "./outbound.ts";
import { RecentIds } from "./recent-ids.ts";
import { applySettings, type PeerSettings } from "./settings.ts";
import type { Stream } from "./stream.ts";
import {
  defaultMaxFrameLength,
  defaultWindow,
  ErrorCode,
  Flag,
  FrameType,
  maxWindow,
  readUint32,
  Setting,
} from "./protocol.ts";

/** What this end lets a stream's peer send before the application has taken it, octets. */
const streamWindow = 262_144;
/** The same for the connection. */
const connectionWindow = 4_194_304;
/** When the application has left so much to lie, the connection's window is not opened again until it takes some. */
const maxHeld = 16_777_216;
/** When so much waits for a peer that does not read, the connection is given up. */
const maxPending = 8_388_608;
/** How long a connection that ends may take to send its last words. */
const lingerMs = 1_000;

/**
 * One HTTP/2 connection (RFC 9113), of either role: frames, settings, flow control, header blocks and the limits that
 * keep a hostile peer cheap. Priorities and server push are not used.
 */
export abstract class Connection {
  protected readonly socket: Socket;
  protected readonly writer: FrameWriter;
  protected readonly encoder: HpackEncoder = new HpackEncoder();
  protected readonly streams: Map<number, Stream> = new Map();
  protected readonly outbound: Outbound;
  protected readonly peer: PeerSettings = {
    initialWindow: defaultWindow,
    maxFrameLength: defaultMaxFrameLength,
    maxStreams: Number.POSITIVE_INFINITY,
    maxHeaderListSize: Number.POSITIVE_INFINITY,
  };
  /** Whether something was read since this was last set to false. */
  protected heard = false;
  readonly #reader: FrameReader;
  readonly #decoder = new HpackDecoder();
  /** Frames that ask for an answer or for nothing; useful work gives back. */
  readonly #patience = new Allowance(1_000, 100);
  /** Streams that this end reset: what was on its way for them is passed over. */
  readonly #reset = new RecentIds();
  #assembly: HeaderAssembly | undefined;
  #settled = false;
  #receiveWindow = connectionWindow;
  #credit = 0;
  #held = 0;
  #over = false;

  protected constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    this.writer = new FrameWriter(socket, () => this.#turned());
    this.outbound = new Outbound(this.writer, this.peer, (stream) => this.#localEnd(stream));
    this.#reader = new FrameReader((type, flags, id, buffer, start, end) => {
      this.#frame(type, flags, id, buffer, start, end);
      return !this.#over;
    });
    socket.on("drain", () => {
      this.writer.blocked = false;
      this.outbound.pump();
    });
    socket.on("close", () => this.#lose("the connection was lost"));
    socket.on("error", (error) => this.#lose(`the connection failed: ${error.message}`));
  }

  get isOver(): boolean {
    return this.#over;
  }

  /** The header block of a stream that is idle. */
  protected abstract onHeaderBlock(streamId: number, block: HeaderBlock, endStream: boolean): void;
  protected abstract onGoAway(lastStreamId: number, code: number, reason: string): void;
  protected abstract onPingAck(): void;
  /** The peer's first SETTINGS have arrived. */
  protected abstract onSettled(): void;
  protected abstract onSettingsChanged(): void;
  /** A stream has left `streams`. */
  protected abstract onStreamClosed(stream: Stream): void;
  /** This end has sent all of a stream, the peer has not. */
  protected abstract onLocalEnd(stream: Stream): void;
  protected abstract onOver(reason: string): void;
  /** Whether no frame but HEADERS or PRIORITY may name this stream, as it was never opened. */
  protected abstract isIdle(streamId: number): boolean;
  /** The highest stream that the peer opened and this end has looked at. */
  protected abstract get lastPeerStreamId(): number;

  /** This end's SETTINGS and the connection's window, which is larger than the default. */
  protected announce(settings: readonly (readonly [number, number])[]): void {
    this.writer.settings([
      [Setting.INITIAL_WINDOW_SIZE, streamWindow],
      [Setting.MAX_HEADER_LIST_SIZE, 16_384],
      ...settings,
    ]);
    this.writer.windowUpdate(0, connectionWindow - defaultWindow);
  }

  /** Takes what the socket read. Whatever is in it, this does not throw. */
  protected receive(chunk: Buffer): void {
    if (this.#over) return;
    this.heard = true;
    this.writer.settle();
    try {
      this.#reader.push(chunk);
    } catch (error) {
      this.fail(error);
      return;
    }
    if (this.writer.pending > maxPending) this.abandon("the peer does not read");
  }

  protected openStream(stream: Stream, id: number): void {
    stream.id = id;
    stream.sendWindow = this.peer.initialWindow;
    stream.receiveWindow = streamWindow;
    this.streams.set(id, stream);
  }

  protected writeHeaders(stream: Stream, block: Uint8Array, endStream: boolean): void {
    this.#patience.earn(10);
    this.writer.headers(stream.id, block, endStream, this.peer.maxFrameLength);
    if (endStream) this.#localEnd(stream);
  }

  /**
   * False when the stream's `onWritable` is to be waited for before more is sent. A `borrowed` message is the caller's
   * again when this returns.
   */
  protected writeMessage(
    stream: Stream,
    message: Uint8Array,
    compressed: boolean,
    endStream: boolean,
    borrowed: boolean,
  ): boolean {
    this.#patience.earn(10);
    return this.outbound.message(stream, message, compressed, endStream, borrowed);
  }

  /** The application has taken `octets` of a stream's data. */
  consumed(stream: Stream, octets: number): void {
    if (this.#over) return;
    if (!stream.remoteEnded) {
      const repaid = Math.min(stream.loan, octets);
      stream.loan -= repaid;
      stream.credit += octets - repaid;
      if (stream.credit >= streamWindow / 2) this.#grant(stream, stream.credit);
    }
    if (this.#credit >= connectionWindow / 2) this.#openWindow();
  }

  /** Lets a message of `length` octets arrive whole, which is taken only then, when the window is too small for it. */
  expect(stream: Stream, length: number): void {
    if (this.#over || stream.remoteEnded || stream.loan > 0 || length <= streamWindow / 2) return;
    stream.loan = length;
    stream.credit += length;
    this.#grant(stream, stream.credit);
  }

  /** `octets` of a whole message lie with this end until the application takes them. */
  hold(stream: Stream, octets: number): void {
    stream.held += octets;
    this.#held += octets;
  }

  /** The application has taken `octets` of what was held. */
  release(stream: Stream, octets: number): void {
    // A stream that has closed holds nothing.
    const held = Math.min(stream.held, octets);
    stream.held -= held;
    this.#held -= held;
    this.consumed(stream, octets);
  }

  /** Ends a stream at once in both directions. */
  resetStream(stream: Stream, code: number): void {
    if (this.streams.get(stream.id) !== stream) return;
    this.writer.resetStream(stream.id, code);
    this.#reset.add(stream.id);
    this.closeStream(stream);
  }

  protected closeStream(stream: Stream): void {
    if (!this.streams.delete(stream.id)) return;
    this.#held -= stream.held;
    stream.held = 0;
    this.outbound.forget(stream);
    this.onStreamClosed(stream);
  }

  /** Has the peer pay for a frame that this end gains nothing by. */
  protected charge(cost: number): void {
    if (this.#patience.spend(cost)) return;
    throw new ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, "too many frames of no use");
  }

  /** Ends the connection: GOAWAY with the fault's code, then the end of the socket. */
  fail(error: unknown): void {
    if (this.#over) return;
    const { code, message } = faultOf(error);
    this.writer.goAway(this.lastPeerStreamId, code, message);
    this.end(message);
  }

  /** Ends the connection once what was written has been sent. */
  end(reason: string): void {
    if (this.#over) return;
    this.writer.flush();
    this.socket.destroySoon();
    setTimeout(() => this.socket.destroy(), lingerMs).unref();
    this.#lose(reason);
  }

  /** Ends the connection without a word. */
  abandon(reason: string): void {
    this.socket.destroy();
    this.#lose(reason);
  }

  #lose(reason: string): void {
    if (this.#over) return;
    this.#over = true;
    this.writer.close();
    this.#assembly = undefined;
    const streams = [...this.streams.values()];
    this.streams.clear();
    for (const stream of streams) stream.onLost(reason);
    this.onOver(reason);
  }

  #turned(): void {
    if (this.#over) return;
    this.outbound.pump();
  }

  #localEnd(stream: Stream): void {
    stream.localEnded = true;
    if (stream.remoteEnded) this.closeStream(stream);
    else this.onLocalEnd(stream);
  }

  #grant(stream: Stream, octets: number): void {
    stream.credit = 0;
    stream.receiveWindow += octets;
    this.writer.windowUpdate(stream.id, octets);
  }

  #openWindow(): void {
    if (this.#held > maxHeld) return;
    this.writer.windowUpdate(0, this.#credit);
    this.#receiveWindow += this.#credit;
    this.#credit = 0;
  }

  #frame(type: number, flags: number, id: number, buffer: Buffer, start: number, end: number): void {
    if (this.#assembly !== undefined && type !== FrameType.CONTINUATION) {
      throw protocolError("a header block was interrupted");
    }
    if (!this.#settled && (type !== FrameType.SETTINGS || (flags & Flag.ACK) !== 0)) {
      throw protocolError("SETTINGS have to come first");
    }
    switch (type) {
      case FrameType.DATA:
        return this.#data(flags, id, buffer, start, end);
      case FrameType.HEADERS:
        return this.#headers(flags, id, buffer, start, end);
      case FrameType.CONTINUATION:
        return this.#continuation(flags, id, buffer, start, end);
      case FrameType.RST_STREAM:
        return this.#rstStream(id, buffer, start, end);
      case FrameType.WINDOW_UPDATE:
        return this.#windowUpdate(id, buffer, start, end);
      case FrameType.SETTINGS:
        return this.#settings(flags, id, buffer, start, end);
      case FrameType.PING:
        return this.#ping(flags, id, buffer, start, end);
      case FrameType.GOAWAY:
        if (id !== 0) throw protocolError("GOAWAY on a stream");
        if (end - start < 8) throw frameSizeError("GOAWAY");
        this.charge(1);
        return this.onGoAway(
          readUint32(buffer, start) & 0x7fffffff,
          readUint32(buffer, start + 4),
          buffer.toString("latin1", start + 8, Math.min(end, start + 264)),
        );
      case FrameType.PRIORITY:
        return this.#priority(id, buffer, start, end);
      case FrameType.PUSH_PROMISE:
        throw protocolError("nothing may be pushed");
      default:
        // Section 4.1: frames of unknown types are passed over.
        this.charge(1);
    }
  }

  /** Section 6.1. */
  #data(flags: number, id: number, buffer: Buffer, start: number, end: number): void {
    if (id === 0) throw protocolError("DATA without a stream");
    const length = end - start;
    this.#receiveWindow -= length;
    if (this.#receiveWindow < 0) {
      throw new ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, "more data than the window has room for");
    }
    this.#credit += length;
    if (this.#credit >= connectionWindow / 2) this.#openWindow();
    let from = start;
    let until = end;
    if ((flags & Flag.PADDED) !== 0) {
      until -= padding(buffer, start, end);
      from++;
    }
    const endStream = (flags & Flag.END_STREAM) !== 0;
    if (from === until && !endStream) this.charge(1);
    const stream = this.streams.get(id);
    if (stream === undefined) return this.#frameOfNone(id);
    if (stream.remoteEnded) return this.#breakStream(stream, ErrorCode.STREAM_CLOSED);
    stream.receiveWindow -= length;
    if (stream.receiveWindow < 0) return this.#breakStream(stream, ErrorCode.FLOW_CONTROL_ERROR);
    if (endStream) stream.remoteEnded = true;
    else if (until - from < length) stream.credit += length - (until - from);
    stream.onData(buffer, from, until, endStream);
    if (endStream && stream.localEnded) this.closeStream(stream);
  }

  /** Section 6.2. */
  #headers(flags: number, id: number, buffer: Buffer, start: number, end: number): void {
    if (id === 0) throw protocolError("HEADERS without a stream");
    let from = start;
    let until = end;
    if ((flags & Flag.PADDED) !== 0) {
      until -= padding(buffer, start, end);
      from++;
    }
    if ((flags & Flag.PRIORITY) !== 0) {
      if (until - from < 5) throw frameSizeError("HEADERS");
      if ((readUint32(buffer, from) & 0x7fffffff) === id) {
        throw protocolError("a stream that depends on itself");
      }
      from += 5;
    }
    const endStream = (flags & Flag.END_STREAM) !== 0;
    if ((flags & Flag.END_HEADERS) !== 0) {
      this.#block(id, this.#decoder.decode(buffer, from, until), endStream);
      return;
    }
    this.#assembly = new HeaderAssembly(id, endStream);
    this.#assembly.add(buffer.subarray(from, until));
  }

  /** Section 6.10. */
  #continuation(flags: number, id: number, buffer: Buffer, start: number, end: number): void {
    const assembly = this.#assembly;
    if (assembly === undefined || assembly.streamId !== id) throw protocolError("CONTINUATION of nothing");
    assembly.add(buffer.subarray(start, end));
    if ((flags & Flag.END_HEADERS) === 0) return;
    this.#assembly = undefined;
    const block = assembly.take();
    this.#block(id, this.#decoder.decode(block, 0, block.length), assembly.endStream);
  }

  #block(id: number, block: HeaderBlock, endStream: boolean): void {
    const stream = this.streams.get(id);
    if (stream === undefined) {
      if (!this.isIdle(id)) return this.#frameOfNone(id);
      this.onHeaderBlock(id, block, endStream);
      return;
    }
    if (stream.remoteEnded) return this.#breakStream(stream, ErrorCode.STREAM_CLOSED);
    if (!block.valid) return this.#breakStream(stream, ErrorCode.PROTOCOL_ERROR);
    if (endStream) stream.remoteEnded = true;
    stream.onHeaders(block, endStream);
    if (endStream && stream.localEnded) this.closeStream(stream);
  }

  /** Section 6.4. */
  #rstStream(id: number, buffer: Buffer, start: number, end: number): void {
    if (id === 0) throw protocolError("RST_STREAM without a stream");
    if (end - start !== 4) throw frameSizeError("RST_STREAM");
    const stream = this.streams.get(id);
    if (stream === undefined) {
      if (this.isIdle(id)) throw protocolError("RST_STREAM of an idle stream");
      return this.charge(1);
    }
    this.closeStream(stream);
    stream.onReset(readUint32(buffer, start), true);
  }

  /** Section 6.9. */
  #windowUpdate(id: number, buffer: Buffer, start: number, end: number): void {
    if (end - start !== 4) throw frameSizeError("WINDOW_UPDATE");
    this.charge(1);
    const increment = readUint32(buffer, start) & 0x7fffffff;
    if (id === 0) {
      if (increment === 0) throw protocolError("WINDOW_UPDATE by nothing");
      this.outbound.window += increment;
      if (this.outbound.window > maxWindow) {
        throw new ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, "the window is too large");
      }
      this.outbound.pump();
      return;
    }
    const stream = this.streams.get(id);
    if (stream === undefined) {
      if (this.isIdle(id)) throw protocolError("WINDOW_UPDATE of an idle stream");
      return;
    }
    if (increment === 0) return this.#breakStream(stream, ErrorCode.PROTOCOL_ERROR);
    stream.sendWindow += increment;
    if (stream.sendWindow > maxWindow) return this.#breakStream(stream, ErrorCode.FLOW_CONTROL_ERROR);
    this.outbound.resume(stream);
  }

  /** Section 6.5. */
  #settings(flags: number, id: number, buffer: Buffer, start: number, end: number): void {
    if (id !== 0) throw protocolError("SETTINGS on a stream");
    if ((flags & Flag.ACK) !== 0) {
      if (end !== start) throw frameSizeError("SETTINGS");
      return this.charge(1);
    }
    if ((end - start) % 6 !== 0) throw frameSizeError("SETTINGS");
    // A new initial window is a step for each stream.
    this.charge(1 + this.streams.size / 64);
    const windowBefore = this.peer.initialWindow;
    applySettings(this.peer, this.encoder, buffer, start, end);
    const change = this.peer.initialWindow - windowBefore;
    if (change !== 0) {
      for (const stream of this.streams.values()) {
        stream.sendWindow += change;
        if (stream.sendWindow > maxWindow) {
          throw new ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, "a stream's window is too large");
        }
        if (change > 0) this.outbound.resume(stream);
      }
    }
    this.writer.settingsAck();
    if (this.#settled) return this.onSettingsChanged();
    this.#settled = true;
    this.onSettled();
  }

  /** Section 6.7. */
  #ping(flags: number, id: number, buffer: Buffer, start: number, end: number): void {
    if (id !== 0) throw protocolError("PING on a stream");
    if (end - start !== 8) throw frameSizeError("PING");
    this.charge(1);
    if ((flags & Flag.ACK) !== 0) this.onPingAck();
    else this.writer.ping(buffer, start, true);
  }

  /** Section 6.3: nothing comes of it. */
  #priority(id: number, buffer: Buffer, start: number, end: number): void {
    if (id === 0) throw protocolError("PRIORITY without a stream");
    this.charge(1);
    const wrongLength = end - start !== 5;
    if (!wrongLength && (readUint32(buffer, start) & 0x7fffffff) !== id) return;
    const code = wrongLength ? ErrorCode.FRAME_SIZE_ERROR : ErrorCode.PROTOCOL_ERROR;
    const stream = this.streams.get(id);
    if (stream === undefined) this.writer.resetStream(id, code);
    else this.#breakStream(stream, code);
  }

  /** A frame of a stream that is closed, unless it is idle. */
  #frameOfNone(id: number): void {
    if (this.isIdle(id)) throw protocolError("a frame of an idle stream");
    if (this.#reset.has(id)) return;
    this.charge(1);
    this.writer.resetStream(id, ErrorCode.STREAM_CLOSED);
  }

  #breakStream(stream: Stream, code: number): void {
    this.charge(1);
    this.resetStream(stream, code);
    stream.onReset(code, false);
  }
}

/** The octets of padding behind the payload, which has the length of it in front (section 6.1). */
function padding(buffer: Buffer, start: number, end: number): number {
  if (end === start) throw frameSizeError("a padded frame");
  const length = buffer[start] as number;
  if (length >= end - start) throw protocolError("more padding than payload");
  return length;
}

function protocolError(message: string): ConnectionFault {
  return new ConnectionFault(ErrorCode.PROTOCOL_ERROR, message);
}

function frameSizeError(what: string): ConnectionFault {
  return new ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, `${what} of a wrong length`);
}

function faultOf(error: unknown): { code: number; message: string } {
  if (error instanceof ConnectionFault) return error;
  if (error instanceof HpackError) return { code: ErrorCode.COMPRESSION_ERROR, message: error.message };
  return { code: ErrorCode.INTERNAL_ERROR, message: "internal error" };
}
