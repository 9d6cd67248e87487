/** A message's binary form, written from left to right. */
export interface WireWriter {
  readonly length: number;
  tag(number: number, wireType: number): void;
  /** A varint of up to 32 bits without sign. */
  uint32(value: number): void;
  /** A varint of 64 bits; a negative value is written in two's complement. */
  varint64(value: bigint): void;
  /**
   * A varint of 64 bits from a decimal text of at most 18 digits, with a sign or without. False for any other text, and
   * nothing is written.
   */
  decimal(text: string): boolean;
  /** As int32 has it: ten bytes when negative. */
  int32(value: number): void;
  fixed32(value: number): void;
  fixed64(value: bigint): void;
  float(value: number): void;
  double(value: number): void;
  /** With its length in front. */
  string(text: string): void;
  /** The same for a short text of ASCII alone. False for any other text, and nothing is written. */
  shortAscii(text: string): boolean;
  /** With their length in front. */
  bytes(bytes: Uint8Array): void;
  /** Bytes as they are: a message's binary form behind another's merges it into that. */
  raw(bytes: Uint8Array): void;
  /** Begins what has its length in front; gives the place that `end` needs. */
  begin(): number;
  end(place: number): void;
  /** Takes back all that was written since `length` was this. */
  rewind(length: number): void;
  /** What was written; writing on leaves it as it is. */
  finish(): Buffer;
}

/** Up to this length a loop is faster than a call out of JavaScript. */
const shortText = 40;
/** Of decimal digits: any number of these fits in 64 bits, with a sign too. */
const plainDigits = 18;
const zero = 0x30;

class BufferWriter implements WireWriter {
  buffer: Buffer;
  length = 0;

  constructor(bytes: number) {
    this.buffer = Buffer.allocUnsafe(bytes);
  }

  ensure(more: number): void {
    const needed = this.length + more;
    if (needed <= this.buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.buffer.length));
    this.buffer.copy(larger, 0, 0, this.length);
    this.buffer = larger;
  }

  tag(number: number, wireType: number): void {
    this.uint32(((number << 3) | wireType) >>> 0);
  }

  uint32(value: number): void {
    this.ensure(5);
    let rest = value;
    while (rest > 127) {
      this.buffer[this.length] = (rest & 127) | 128;
      this.length += 1;
      rest >>>= 7;
    }
    this.buffer[this.length] = rest;
    this.length += 1;
  }

  varint64(value: bigint): void {
    this.halves(Number(BigInt.asUintN(32, value >> 32n)), Number(BigInt.asUintN(32, value)));
  }

  /** A varint of 64 bits, in two halves since each step of a bigint makes a new one. */
  halves(upper: number, lower: number): void {
    this.ensure(10);
    let low = lower;
    let high = upper;
    const { buffer } = this;
    let at = this.length;
    while (high !== 0) {
      buffer[at] = (low & 127) | 128;
      at += 1;
      low = ((low >>> 7) | (high << 25)) >>> 0;
      high >>>= 7;
    }
    this.length = at;
    this.uint32(low);
  }

  decimal(text: string): boolean {
    const isNegative = text.charCodeAt(0) === 0x2d;
    const first = isNegative ? 1 : 0;
    const count = text.length - first;
    if (count < 1 || count > plainDigits) return false;
    if (text.charCodeAt(first) === zero && text.length > 1) return false;
    // As thousand millions and the rest, each a number that is exact.
    const cut = Math.max(first, text.length - 9);
    let upper = 0;
    let lower = 0;
    for (let i = first; i < text.length; i += 1) {
      const digit = text.charCodeAt(i) - zero;
      if (digit < 0 || digit > 9) return false;
      if (i < cut) upper = upper * 10 + digit;
      else lower = lower * 10 + digit;
    }
    // upper × 10⁹ is more than a number holds: by its upper and lower 16 bits.
    const large = (upper >>> 16) * 1e9;
    const small = (upper & 0xffff) * 1e9 + lower + (large % 65_536) * 65_536;
    let low = small % 2 ** 32;
    let high = Math.floor(large / 65_536) + Math.floor(small / 2 ** 32);
    if (isNegative) {
      // Two's complement.
      low = (~low + 1) >>> 0;
      high = (low === 0 ? ~high + 1 : ~high) >>> 0;
    }
    this.halves(high, low >>> 0);
    return true;
  }

  int32(value: number): void {
    if (value < 0) this.varint64(BigInt(value));
    else this.uint32(value);
  }

  fixed32(value: number): void {
    this.ensure(4);
    this.length = this.buffer.writeUInt32LE(value >>> 0, this.length);
  }

  fixed64(value: bigint): void {
    this.ensure(8);
    this.length = this.buffer.writeBigUInt64LE(BigInt.asUintN(64, value), this.length);
  }

  float(value: number): void {
    this.ensure(4);
    this.length = this.buffer.writeFloatLE(value, this.length);
  }

  double(value: number): void {
    this.ensure(8);
    this.length = this.buffer.writeDoubleLE(value, this.length);
  }

  string(text: string): void {
    const place = this.begin();
    this.ensure(text.length * 3);
    this.length += this.buffer.write(text, this.length, "utf8");
    this.end(place);
  }

  shortAscii(text: string): boolean {
    const { length } = text;
    if (length > shortText) return false;
    this.ensure(length + 1);
    const { buffer } = this;
    const start = this.length + 1;
    for (let i = 0; i < length; i += 1) {
      const code = text.charCodeAt(i);
      if (code > 127) return false;
      buffer[start + i] = code;
    }
    buffer[start - 1] = length;
    this.length = start + length;
    return true;
  }

  bytes(bytes: Uint8Array): void {
    this.uint32(bytes.length);
    this.raw(bytes);
  }

  raw(bytes: Uint8Array): void {
    this.ensure(bytes.length);
    this.buffer.set(bytes, this.length);
    this.length += bytes.length;
  }

  begin(): number {
    this.ensure(1);
    this.length += 1;
    return this.length;
  }

  end(place: number): void {
    const size = this.length - place;
    if (size < 128) {
      this.buffer[place - 1] = size;
      return;
    }
    // Most lengths fit in the one byte that was left for them; for others the value moves.
    let width = 2;
    for (let limit = 16_384; size >= limit; limit *= 128) width += 1;
    this.ensure(width);
    this.buffer.copyWithin(place - 1 + width, place, this.length);
    this.length = place - 1;
    this.uint32(size);
    this.length += size;
  }

  rewind(length: number): void {
    this.length = length;
  }

  finish(): Buffer {
    return this.buffer.subarray(0, this.length);
  }
}

/** With room for so many bytes; more are made when they are needed. */
export function createWireWriter(bytes = 1_024): WireWriter {
  return new BufferWriter(bytes);
}
