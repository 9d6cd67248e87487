import type { Socket } from "node:net";

import { HpackEncoder } from "../hpack/encoder.ts";
import { Allowance } from "./allowance.ts";
import { ConnectionFault, faultOf } from "./fault.ts";
import { FrameWriter } from "./frame-writer.ts";
import { Inbound, streamWindow } from "./inbound.ts";
import { Outbound } from "./outbound.ts";
import { defaultMaxFrameLength, defaultWindow, ErrorCode, Setting } from "./protocol.ts";
import { RecentIds } from "./recent-ids.ts";
import type { PeerSettings } from "./settings.ts";
import { StreamTable } from "./stream-table.ts";
import type { Stream } from "./stream.ts";

/** How long a connection that ends may take to send its last words. */
const lingerMs = 1_000;

/** The streams of a connection, what is sent on them, and how they and the connection end. What is read is not here. */
export abstract class Session {
  protected readonly socket: Socket;
  protected readonly writer: FrameWriter;
  protected readonly encoder: HpackEncoder = new HpackEncoder();
  protected readonly streams: StreamTable = new StreamTable();
  protected readonly inbound: Inbound;
  protected readonly outbound: Outbound;
  protected readonly peer: PeerSettings = {
    initialWindow: defaultWindow,
    maxFrameLength: defaultMaxFrameLength,
    maxStreams: Number.POSITIVE_INFINITY,
    maxHeaderListSize: Number.POSITIVE_INFINITY,
  };
  /** Streams that this end reset: what was on its way for them is passed over. */
  protected readonly recentlyReset: RecentIds = new RecentIds();
  /** Frames that ask for an answer or for nothing; useful work gives back. */
  readonly #patience = new Allowance(1_000, 100);
  #over = false;

  protected constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    this.writer = new FrameWriter(socket, () => this.#turned());
    this.inbound = new Inbound(this.writer);
    this.outbound = new Outbound(this.writer, this.peer, (stream) => this.#localEnd(stream));
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

  /** A stream has left `streams`. */
  protected abstract onStreamClosed(stream: Stream): void;
  /** This end has sent all of a stream, the peer has not. */
  protected abstract onLocalEnd(stream: Stream): void;
  protected abstract onOver(reason: string): void;
  /** The highest stream that the peer opened and this end has looked at. */
  protected abstract get lastPeerStreamId(): number;

  /** This end's SETTINGS and the connection's window, which is larger than the default. */
  protected announce(settings: readonly (readonly [number, number])[]): void {
    this.writer.settings([
      [Setting.INITIAL_WINDOW_SIZE, streamWindow],
      [Setting.MAX_HEADER_LIST_SIZE, 16_384],
      ...settings,
    ]);
    this.inbound.announce();
  }

  protected openStream(stream: Stream, id: number): void {
    stream.id = id;
    stream.sendWindow = this.peer.initialWindow;
    stream.receiveWindow = streamWindow;
    this.streams.add(stream);
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
    if (!this.#over) this.inbound.consumed(stream, octets);
  }

  /** Lets a message of `length` octets arrive whole, which is taken only then, when the window is too small for it. */
  expect(stream: Stream, length: number): void {
    if (!this.#over) this.inbound.expect(stream, length);
  }

  /** `octets` of a whole message lie with this end until the application takes them. */
  hold(stream: Stream, octets: number): void {
    this.inbound.hold(stream, octets);
  }

  /** The application has taken `octets` of what was held. */
  release(stream: Stream, octets: number): void {
    this.inbound.drop(stream, octets);
    this.consumed(stream, octets);
  }

  /** Ends a stream at once in both directions. */
  resetStream(stream: Stream, code: number): void {
    if (this.streams.get(stream.id) !== stream) return;
    this.writer.resetStream(stream.id, code);
    this.recentlyReset.add(stream.id);
    this.closeStream(stream);
  }

  protected closeStream(stream: Stream): void {
    if (!this.streams.delete(stream)) return;
    this.inbound.drop(stream, stream.held);
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
    const streams = this.streams.all();
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
}
