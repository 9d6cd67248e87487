/** Kept between messages; what a larger one took is given back. */
const maxKept = 4_194_304;
/** Up to here a loop is quicker than a call out of JavaScript. */
const maxLoopLength = 24;

/** Thrown for a value that this writer leaves to the library, which knows what is wrong with it. */
export const unusual: Error = new Error("not a value of the type");

/**
 * Octets of one message after another in the same buffer.
 *
 * Why not one for each: memory outside of the heap is made, zeroed and collected at a cost above that of all the rest
 * of a small call.
 */
export class OctetWriter {
  #buffer: Buffer = Buffer.allocUnsafeSlow(65_536);
  #end = 0;

  begin(): void {
    this.#end = 0;
    if (this.#buffer.length > maxKept) this.#buffer = Buffer.allocUnsafeSlow(65_536);
  }

  /** What was written since `begin`; the next `begin` overwrites it. */
  octets(): Buffer {
    return this.#buffer.subarray(0, this.#end);
  }

  /** An unsigned integer below 2^32. */
  varint(value: number): void {
    this.#reserve(5);
    const buffer = this.#buffer;
    let at = this.#end;
    let rest = value;
    for (; rest > 0x7f; rest >>>= 7) buffer[at++] = (rest & 0x7f) | 0x80;
    buffer[at++] = rest;
    this.#end = at;
  }

  /** Two's complement of 64 bits. */
  varint64(value: bigint): void {
    if (value >= 0n && value <= 0x7fffffffn) return this.varint(Number(value));
    this.#reserve(10);
    const unsigned = BigInt.asUintN(64, value);
    let low = Number(unsigned & 0xffffffffn);
    let high = Number(unsigned >> 32n);
    const buffer = this.#buffer;
    let at = this.#end;
    while (high > 0 || low > 0x7f) {
      buffer[at++] = (low & 0x7f) | 0x80;
      low = ((low >>> 7) | (high << 25)) >>> 0;
      high >>>= 7;
    }
    buffer[at++] = low;
    this.#end = at;
  }

  fixed32(value: number): void {
    this.#reserve(4);
    this.#end = this.#buffer.writeUInt32LE(value >>> 0, this.#end);
  }

  fixed64(value: bigint): void {
    this.#reserve(8);
    this.#end = this.#buffer.writeBigUInt64LE(BigInt.asUintN(64, value), this.#end);
  }

  float(value: number): void {
    this.#reserve(4);
    this.#end = this.#buffer.writeFloatLE(value, this.#end);
  }

  double(value: number): void {
    this.#reserve(8);
    this.#end = this.#buffer.writeDoubleLE(value, this.#end);
  }

  /** A length and as many octets. */
  bytes(value: Uint8Array): void {
    const { length } = value;
    this.varint(length);
    this.raw(value);
  }

  raw(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#buffer.set(value, this.#end);
    this.#end += value.length;
  }

  /** A length and the text in UTF-8. */
  string(value: string): void {
    const { length } = value;
    if (length <= maxLoopLength && this.#ascii(value)) return;
    this.#reserve(length * 3 + 5);
    // The length is that of ASCII more often than not.
    const prefix = lengthOfVarint(length);
    const start = this.#end + prefix;
    const written = this.#buffer.write(value, start, "utf8");
    const needed = lengthOfVarint(written);
    if (needed !== prefix) this.#buffer.copyWithin(this.#end + needed, start, start + written);
    this.varint(written);
    this.#end += written;
  }

  /** Begins something whose length comes first; `join` takes what this returns. */
  fork(): number {
    this.#reserve(1);
    return this.#end++;
  }

  join(fork: number): void {
    const start = fork + 1;
    const length = this.#end - start;
    const prefix = lengthOfVarint(length);
    if (prefix > 1) {
      this.#reserve(prefix);
      this.#buffer.copyWithin(fork + prefix, start, this.#end);
    }
    this.#end = fork;
    this.varint(length);
    this.#end += length;
  }

  #ascii(value: string): boolean {
    const { length } = value;
    this.#reserve(length + 1);
    const buffer = this.#buffer;
    let at = this.#end;
    buffer[at++] = length;
    for (let from = 0; from < length; from++) {
      const unit = value.charCodeAt(from);
      if (unit > 0x7f) return false;
      buffer[at++] = unit;
    }
    this.#end = at;
    return true;
  }

  #reserve(octets: number): void {
    const needed = this.#end + octets;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2));
    larger.set(this.octets());
    this.#buffer = larger;
  }
}

function lengthOfVarint(value: number): number {
  let length = 1;
  for (let rest = value; rest > 0x7f; rest >>>= 7) length++;
  return length;
}
