/** JSON in UTF-8, written from left to right. Nothing is checked: the caller writes what is JSON. */
export interface JsonWriter {
  readonly bytes: Buffer;
  pos: number;
  byte(byte: number): void;
  /** Bytes as they are: keys, defaults. */
  raw(bytes: Uint8Array): void;
  /** Text of ASCII characters, without quotes. */
  ascii(text: string): void;
  /** UTF-8 as a JSON string. */
  string(bytes: Buffer, start: number, end: number): void;
  /** Whole numbers of 32 bits, with sign or without. */
  integer(value: number): void;
  /** A whole number from 0 to below 10^9 with leading zeros to `width` digits. */
  digits(value: number, width: number): void;
  /** 64 bits without sign, in quotes. */
  unsigned64(high: number, low: number): void;
  /** 64 bits in two's complement, in quotes. */
  signed64(high: number, low: number): void;
}

const quote = 0x22;
const backslash = 0x5c;
const minus = 0x2d;
const zero = 0x30;
const hex = Buffer.from("0123456789abcdef");
/** Behind the backslash, for the characters that have a short form. */
const shortEscapes: ReadonlyMap<number, number> = new Map(
  [
    [8, "b"],
    [9, "t"],
    [10, "n"],
    [12, "f"],
    [13, "r"],
    [quote, '"'],
    [backslash, "\\"],
  ].map(([code, letter]) => [Number(code), String(letter).charCodeAt(0)]),
);

class BufferWriter implements JsonWriter {
  bytes: Buffer;
  pos = 0;

  constructor(size: number) {
    this.bytes = Buffer.allocUnsafe(size);
  }

  ensure(length: number): void {
    const needed = this.pos + length;
    if (needed <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.bytes.length));
    this.bytes.copy(larger, 0, 0, this.pos);
    this.bytes = larger;
  }

  byte(byte: number): void {
    if (this.pos === this.bytes.length) this.ensure(1);
    this.bytes[this.pos] = byte;
    this.pos += 1;
  }

  raw(bytes: Uint8Array): void {
    const { length } = bytes;
    this.ensure(length);
    const { bytes: target, pos } = this;
    // Below some dozens of bytes a loop is cheaper than a call out of JavaScript.
    for (let i = 0; i < length; i += 1) target[pos + i] = bytes[i] as number;
    this.pos = pos + length;
  }

  ascii(text: string): void {
    this.ensure(text.length);
    for (let i = 0; i < text.length; i += 1) this.bytes[this.pos + i] = text.charCodeAt(i);
    this.pos += text.length;
  }

  string(bytes: Buffer, start: number, end: number): void {
    this.ensure(end - start + 2);
    let target = this.bytes;
    let pos = this.pos;
    target[pos] = quote;
    pos += 1;
    for (let i = start; i < end; i += 1) {
      const byte = bytes[i] as number;
      if (byte < 32 || byte === quote || byte === backslash) {
        this.pos = pos;
        // With room for what is left, so that the plain bytes need no check.
        this.ensure(end - i + 7);
        this.escape(byte);
        target = this.bytes;
        pos = this.pos;
      } else {
        target[pos] = byte;
        pos += 1;
      }
    }
    target[pos] = quote;
    this.pos = pos + 1;
  }

  escape(byte: number): void {
    const short = shortEscapes.get(byte);
    this.byte(backslash);
    if (short !== undefined) return this.byte(short);
    this.ascii("u00");
    this.byte(hex[byte >> 4] ?? zero);
    this.byte(hex[byte & 15] ?? zero);
  }

  integer(value: number): void {
    this.ensure(11);
    let rest = value;
    if (rest < 0) {
      this.byte(minus);
      rest = -rest;
    }
    if (rest >= 1e9) {
      const top = Math.floor(rest / 1e9);
      this.byte(zero + top);
      return this.digits(rest - top * 1e9, 9);
    }
    let width = 1;
    for (let power = 10; power <= rest; power *= 10) width += 1;
    this.digits(rest, width);
  }

  digits(value: number, width: number): void {
    this.ensure(width);
    const { bytes, pos } = this;
    let rest = value | 0;
    for (let i = width - 1; i >= 0; i -= 1) {
      // Below 2^31 a division of integers, which is many times faster than one of doubles.
      const tens = (rest / 10) | 0;
      bytes[pos + i] = zero + rest - tens * 10;
      rest = tens;
    }
    this.pos = pos + width;
  }

  unsigned64(high: number, low: number): void {
    this.byte(quote);
    this.decimal64(high, low);
    this.byte(quote);
  }

  signed64(high: number, low: number): void {
    this.byte(quote);
    if (high >= 0x8000_0000) {
      this.byte(minus);
      const negated = (~low + 1) >>> 0;
      this.decimal64((~high + (negated === 0 ? 1 : 0)) >>> 0, negated);
    } else {
      this.decimal64(high, low);
    }
    this.byte(quote);
  }

  /**
   * Long division by 10^9 in limbs of 16 bits, where every step is exact in a double. A bigint would cost several times as
   * much, and a page of a feed has sixty ids.
   */
  decimal64(high: number, low: number): void {
    if (high === 0) return this.integer(low);
    let rest = high;
    let quotient = Math.floor(rest / 1e9);
    rest -= quotient * 1e9;
    let part = rest * 65_536 + (low >>> 16);
    let digit = Math.floor(part / 1e9);
    rest = part - digit * 1e9;
    quotient = quotient * 65_536 + digit;
    part = rest * 65_536 + (low & 0xffff);
    digit = Math.floor(part / 1e9);
    rest = part - digit * 1e9;
    quotient = quotient * 65_536 + digit;
    if (quotient < 1e9) {
      this.integer(quotient);
    } else {
      const top = Math.floor(quotient / 1e9);
      this.integer(top);
      this.digits(quotient - top * 1e9, 9);
    }
    this.digits(rest, 9);
  }
}

export function createJsonWriter(size: number): JsonWriter {
  return new BufferWriter(size);
}
