import type { HeaderBlock } from "../hpack/decoder.ts";
import { ErrorCode } from "../http2/protocol.ts";
import { Stream } from "../http2/stream.ts";

/** What a refused request's answer needs of its connection. */
interface Refuser {
  refuse(stream: RefusedStream): void;
  consumed(stream: Stream, octets: number): void;
  resetStream(stream: Stream, code: number): void;
}

/**
 * A request that is no gRPC. It is answered by its HTTP status when it has ended, for until then it may still turn out
 * to be malformed, which is answered by a reset (RFC 9113, section 8.1.1).
 */
export class RefusedStream extends Stream {
  readonly status: "405" | "415";
  readonly #refuser: Refuser;
  readonly #contentLength: number | undefined;
  #received = 0;

  constructor(refuser: Refuser, status: "405" | "415", contentLength: number | undefined) {
    super();
    this.status = status;
    this.#refuser = refuser;
    this.#contentLength = contentLength;
  }

  /** No implementation runs for it. */
  get isRunning(): boolean {
    return false;
  }

  stop(): void {}

  /** The headers have come, and with `endStream` all of the request. */
  begin(endStream: boolean): void {
    if (endStream) this.#end();
  }

  onHeaders({ fields }: HeaderBlock, endStream: boolean): void {
    // Section 8.1: what comes behind the data are trailers, and they end the stream.
    if (endStream && !fields.some(({ name }) => name.startsWith(":"))) this.#end();
    else this.#refuser.resetStream(this, ErrorCode.PROTOCOL_ERROR);
  }

  onData(_buffer: Buffer, start: number, end: number, endStream: boolean): void {
    this.#received += end - start;
    this.#refuser.consumed(this, end - start);
    if (endStream) this.#end();
  }

  onReset(): void {}

  onLost(): void {}

  onWritable(): void {}

  #end(): void {
    const wanted = this.#contentLength;
    if (wanted === undefined || wanted === this.#received) this.#refuser.refuse(this);
    else this.#refuser.resetStream(this, ErrorCode.PROTOCOL_ERROR);
  }
}
