import { flowControlError } from "./fault.ts";
import type { FrameWriter } from "./frame-writer.ts";
import { defaultWindow } from "./protocol.ts";
import type { Stream } from "./stream.ts";

/** What this end lets a stream's peer send before the application has taken it, octets. */
export const streamWindow = 262_144;
/** The same for the connection. */
const connectionWindow = 4_194_304;
/** When the application has left so much to lie, the connection's window is not opened again until it takes some. */
const maxHeld = 16_777_216;

/**
 * Data on its way in: how much the peer may send (RFC 9113, section 5.2). A stream's window is opened as the
 * application takes what came; the connection's at once, as long as not too much of it lies with this end.
 */
export class Inbound {
  readonly #writer: FrameWriter;
  #window = connectionWindow;
  #credit = 0;
  #held = 0;

  constructor(writer: FrameWriter) {
    this.#writer = writer;
  }

  /** Opens the connection's window from where every connection starts. */
  announce(): void {
    this.#writer.windowUpdate(0, connectionWindow - defaultWindow);
  }

  /** The peer has sent `octets` of DATA. Throws ConnectionFault when it might not. */
  received(octets: number): void {
    this.#window -= octets;
    if (this.#window < 0) throw flowControlError("more data than the window has room for");
    this.#credit += octets;
    if (this.#credit >= connectionWindow / 2) this.#open();
  }

  /** The application has taken `octets` of a stream's data. */
  consumed(stream: Stream, octets: number): void {
    if (!stream.remoteEnded) {
      const repaid = Math.min(stream.loan, octets);
      stream.loan -= repaid;
      stream.credit += octets - repaid;
      if (stream.credit >= streamWindow / 2) this.#grant(stream);
    }
    if (this.#credit >= connectionWindow / 2) this.#open();
  }

  /** Lets a message of `length` octets arrive whole, which is taken only then, when the window is too small for it. */
  expect(stream: Stream, length: number): void {
    if (stream.remoteEnded || stream.loan > 0 || length <= streamWindow / 2) return;
    stream.loan = length;
    stream.credit += length;
    this.#grant(stream);
  }

  /** `octets` of a whole message lie with this end until the application takes them. */
  hold(stream: Stream, octets: number): void {
    stream.held += octets;
    this.#held += octets;
  }

  /** `octets` of what was held lie here no longer. A stream that has closed holds nothing. */
  drop(stream: Stream, octets: number): void {
    const held = Math.min(stream.held, octets);
    stream.held -= held;
    this.#held -= held;
  }

  #grant(stream: Stream): void {
    const { credit } = stream;
    stream.credit = 0;
    stream.receiveWindow += credit;
    this.#writer.windowUpdate(stream.id, credit);
  }

  #open(): void {
    if (this.#held > maxHeld) return;
    this.#writer.windowUpdate(0, this.#credit);
    this.#window += this.#credit;
    this.#credit = 0;
  }
}
