/** The bytes are no protobuf message. */
export class MalformedMessage extends Error {}

/** A message's binary form, read from left to right. Every method throws MalformedMessage when the bytes end too early. */
export interface WireReader {
  readonly bytes: Buffer;
  pos: number;
  /** The halves of what `varint64` or `fixed64` has read. */
  low: number;
  high: number;
  /** A varint's low 32 bits, without sign: tags, lengths, and all types of 32 bits. */
  uint32(): number;
  /** Reads a varint into `low` and `high`, both without sign. */
  varint64(): void;
  /** Reads eight bytes into `low` and `high`. */
  fixed64(): void;
  /** Moves on by `length` bytes and gives where they begin. */
  advance(length: number): number;
  /** The end of the length-delimited value whose length is read here. */
  limit(): number;
  /** Reads the tag when it comes next, before `end`. */
  follows(tag: number, end: number): boolean;
  /** Passes over a field. False for a group, which has no length. */
  skip(tag: number): boolean;
}

// A class, since the compiled code calls these some hundred times for each message: one hidden class, and methods that
// V8 inlines.
class BufferReader implements WireReader {
  bytes: Buffer;
  pos = 0;
  low = 0;
  high = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  byte(): number {
    const byte = this.bytes[this.pos];
    if (byte === undefined) throw new MalformedMessage("the message ends too early");
    this.pos += 1;
    return byte;
  }

  uint32(): number {
    let byte = this.byte();
    if (byte < 128) return byte;
    let value = byte & 127;
    for (let shift = 7; shift < 35; shift += 7) {
      byte = this.byte();
      value |= (byte & 127) << shift;
      if (byte < 128) return value >>> 0;
    }
    // The upper half, which a negative int32 has.
    for (let i = 0; i < 5; i += 1) if (this.byte() < 128) return value >>> 0;
    throw new MalformedMessage("a varint is too long");
  }

  varint64(): void {
    let low = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.byte();
      low |= (byte & 127) << shift;
      if (byte < 128) {
        this.low = low;
        this.high = 0;
        return;
      }
    }
    let byte = this.byte();
    low |= (byte & 15) << 28;
    let high = (byte & 127) >> 4;
    for (let shift = 3; byte >= 128; shift += 7) {
      if (shift > 31) throw new MalformedMessage("a varint is too long");
      byte = this.byte();
      high |= (byte & 127) << shift;
    }
    this.low = low >>> 0;
    this.high = high >>> 0;
  }

  fixed64(): void {
    const at = this.advance(8);
    this.low = this.bytes.readUInt32LE(at);
    this.high = this.bytes.readUInt32LE(at + 4);
  }

  advance(length: number): number {
    const at = this.pos;
    this.pos += length;
    if (this.pos > this.bytes.length) throw new MalformedMessage("the message ends too early");
    return at;
  }

  limit(): number {
    const end = this.uint32() + this.pos;
    if (end > this.bytes.length) throw new MalformedMessage("a value is longer than its message");
    return end;
  }

  follows(tag: number, end: number): boolean {
    const { pos } = this;
    if (pos >= end) return false;
    if (tag < 128 ? this.bytes[pos] === tag : this.uint32() === tag) {
      if (tag < 128) this.pos = pos + 1;
      return true;
    }
    this.pos = pos;
    return false;
  }

  skip(tag: number): boolean {
    switch (tag & 7) {
      case 0:
        this.varint64();
        return true;
      case 1:
        this.advance(8);
        return true;
      case 2:
        this.pos = this.limit();
        return true;
      case 5:
        this.advance(4);
        return true;
      default:
        return false;
    }
  }
}

export function createWireReader(bytes: Uint8Array): WireReader {
  return new BufferReader(
    Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  );
}
