import type { HeaderBlock } from "../hpack/decoder.ts";

/** What a stream has to send and may not yet: one message, or the trailers that end it. */
export interface Outgoing {
  /** Undefined for trailers, and for an end of stream without a message. */
  message: Uint8Array | undefined;
  readonly compressed: boolean;
  /** The next octet to send; from -5 while the prefix is to be sent too. */
  sent: number;
  readonly endStream: boolean;
  /** Encodes the trailers when their turn has come, for the order of header blocks matters. */
  readonly trailers: (() => Uint8Array) | undefined;
}

/** One stream of a connection (RFC 9113, section 5). The connection keeps its fields; a role gives it meaning. */
export abstract class Stream {
  /** 0 until it is opened. */
  id = 0;
  /** Octets of DATA that the peer takes. */
  sendWindow = 0;
  /** Octets of DATA that the peer may send. */
  receiveWindow = 0;
  /** Octets that were promised to the peer ahead of being taken, for a message larger than the window. */
  loan = 0;
  /** Octets that were taken and not yet announced to the peer. */
  credit = 0;
  /** Octets of whole messages that wait for the application. */
  held = 0;
  localEnded = false;
  remoteEnded = false;
  outgoing: Outgoing[] | undefined;
  outgoingBytes = 0;
  /** Of the connection's table. */
  nextInSlot: Stream | undefined;

  abstract onHeaders(block: HeaderBlock, endStream: boolean): void;
  /** `buffer[start, end)` is the data without padding. */
  abstract onData(buffer: Buffer, start: number, end: number, endStream: boolean): void;
  /** The peer reset the stream, or broke its rules so that this end did; it is closed already. */
  abstract onReset(code: number, byPeer: boolean): void;
  /** The connection is over; the stream is closed already. */
  abstract onLost(reason: string): void;
  /** All that was queued has been written. */
  abstract onWritable(): void;

  /** Makes the stream as new, to be opened again elsewhere. */
  protected renew(): void {
    this.id = 0;
    this.loan = 0;
    this.credit = 0;
    this.held = 0;
    this.localEnded = false;
    this.remoteEnded = false;
    this.outgoing = undefined;
    this.outgoingBytes = 0;
  }
}
