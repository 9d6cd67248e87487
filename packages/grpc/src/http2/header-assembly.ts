import { ConnectionFault } from "./fault.ts";
import { ErrorCode } from "./protocol.ts";

/**
 * The limits of one block as it is on the wire. Without them a peer could go on with CONTINUATION for ever
 * (CVE-2024-27316): the block is decoded, and its list measured, only when it is complete.
 */
const maxBlockLength = 32_768;
const maxContinuations = 16;

/** A header block whose CONTINUATION frames are to come (RFC 9113, section 6.10). */
export class HeaderAssembly {
  readonly streamId: number;
  readonly endStream: boolean;
  readonly #parts: Buffer[] = [];
  #length = 0;

  constructor(streamId: number, endStream: boolean) {
    this.streamId = streamId;
    this.endStream = endStream;
  }

  add(part: Buffer): void {
    this.#length += part.length;
    if (this.#length > maxBlockLength || this.#parts.length > maxContinuations) {
      throw new ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, "a header block without end");
    }
    this.#parts.push(part);
  }

  take(): Buffer {
    return Buffer.concat(this.#parts, this.#length);
  }
}
