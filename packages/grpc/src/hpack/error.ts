/** A header block that cannot be decoded; the connection ends with COMPRESSION_ERROR (RFC 9113, section 4.3). */
export class HpackError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "HpackError";
  }
}
