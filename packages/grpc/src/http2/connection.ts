import type { Socket } from "node:net";

import { HpackDecoder, type HeaderBlock } from "../hpack/decoder.ts";
import { flowControlError, frameSizeError, protocolError } from "./fault.ts";
import { FrameReader } from "./frame-reader.ts";
import { HeaderAssembly } from "./header-assembly.ts";
import { ErrorCode, Flag, FrameType, maxWindow, readUint32 } from "./protocol.ts";
import { Session } from "./session.ts";
import { applySettings } from "./settings.ts";
import type { Stream } from "./stream.ts";

/** When so much waits for a peer that does not read, the connection is given up. */
const maxPending = 8_388_608;

/**
 * One HTTP/2 connection (RFC 9113), of either role: frames, settings, flow control, header blocks and the limits that
 * keep a hostile peer cheap. Priorities and server push are not used.
 */
export abstract class Connection extends Session {
  /** Whether something was read since this was last set to false. */
  protected heard = false;
  readonly #reader: FrameReader;
  readonly #decoder = new HpackDecoder();
  #assembly: HeaderAssembly | undefined;
  #settled = false;

  protected constructor(socket: Socket) {
    super(socket);
    this.#reader = new FrameReader((type, flags, id, buffer, start, end) => {
      this.#frame(type, flags, id, buffer, start, end);
      return !this.isOver;
    });
  }

  /** The header block of a stream that is idle. */
  protected abstract onHeaderBlock(streamId: number, block: HeaderBlock, endStream: boolean): void;
  protected abstract onGoAway(lastStreamId: number, code: number, reason: string): void;
  protected abstract onPingAck(): void;
  /** The peer's first SETTINGS have arrived. */
  protected abstract onSettled(): void;
  protected abstract onSettingsChanged(): void;
  /** Whether no frame but HEADERS or PRIORITY may name this stream, as it was never opened. */
  protected abstract isIdle(streamId: number): boolean;

  /** Takes what the socket read. Whatever is in it, this does not throw. */
  protected receive(chunk: Buffer): void {
    if (this.isOver) return;
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
    this.inbound.received(length);
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
      if (this.isIdle(id)) return this.onHeaderBlock(id, block, endStream);
      if (this.recentlyReset.has(id)) return;
      return this.onHeadersOfClosed(id);
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
        throw flowControlError("the window is too large");
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
    // Before what the new windows let go: the peer may count on them from the acknowledgement on.
    this.writer.settingsAck();
    const change = this.peer.initialWindow - windowBefore;
    if (change !== 0) {
      for (const stream of this.streams.all()) {
        stream.sendWindow += change;
        if (stream.sendWindow > maxWindow) {
          throw flowControlError("a stream's window is too large");
        }
        if (change > 0) this.outbound.resume(stream);
      }
    }
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

  /** HEADERS of a stream that is over, and was not reset by this end lately. */
  protected onHeadersOfClosed(id: number): void {
    this.#frameOfNone(id);
  }

  /** A frame of a stream that is closed, unless it is idle. */
  #frameOfNone(id: number): void {
    if (this.isIdle(id)) throw protocolError("a frame of an idle stream");
    if (this.recentlyReset.has(id)) return;
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
