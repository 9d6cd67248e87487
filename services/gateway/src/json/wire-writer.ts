/** A message's binary form, written from left to right. */
export interface WireWriter {
  readonly length: number;
  tag(number: number, wireType: number): void;
  /** A varint of up to 32 bits without sign. */
  uint32(value: number): void;
  /** A varint of 64 bits; a negative value is written in two's complement. */
  varint64(value: bigint): void;
  /** As int32 has it: ten bytes when negative. */
  int32(value: number): void;
  fixed32(value: number): void;
  fixed64(value: bigint): void;
  float(value: number): void;
  double(value: number): void;
  /** With its length in front. */
  string(text: string): void;
  /** With their length in front. */
  bytes(bytes: Uint8Array): void;
  /** Bytes as they are: a message's binary form behind another's merges it into that. */
  raw(bytes: Uint8Array): void;
  /** Begins what has its length in front; gives the place that `end` needs. */
  begin(): number;
  end(place: number): void;
  /** Takes back all that was written since `length` was this. */
  rewind(length: number): void;
  /** A copy. */
  finish(): Buffer;
}

class BufferWriter implements WireWriter {
  buffer = Buffer.allocUnsafe(1_024);
  length = 0;

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
    this.ensure(10);
    // In two halves, since each step of a bigint makes a new one.
    let low = Number(BigInt.asUintN(32, value));
    let high = Number(BigInt.asUintN(32, value >> 32n));
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
    return Buffer.from(this.buffer.subarray(0, this.length));
  }
}

export function createWireWriter(): WireWriter {
  return new BufferWriter();
}
