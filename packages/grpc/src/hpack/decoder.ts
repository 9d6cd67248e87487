import { DynamicTable } from "./dynamic-table.ts";
import { HpackError } from "./error.ts";
import { huffmanDecode } from "./huffman.ts";
import { firstDynamicIndex, staticTable, type Field } from "./static-table.ts";

/** The fields of one header block, in order. */
export interface HeaderBlock {
  readonly fields: readonly Field[];
  /** Whether the fields were more than the limit; those above it are not kept. */
  readonly tooLarge: boolean;
  /** Whether every name and value is one that RFC 9113, section 8.2.1, allows. */
  readonly valid: boolean;
  /** What the reader of a block made of it; a block that comes again is the same object. */
  meaning: unknown;
}

export interface DecoderOptions {
  /** The SETTINGS_HEADER_TABLE_SIZE that this end announced, octets. Default: 4096. */
  readonly maxTableSize?: number;
  /** The SETTINGS_MAX_HEADER_LIST_SIZE that this end announced, octets. Default: 16384. */
  readonly maxListSize?: number;
}

const namePattern = /^:?[!#$%&'*+\-.^_`|~0-9a-z]+$/;
// oxlint-disable-next-line no-control-regex
const valuePattern = /^(?:[^\0\r\n\t ](?:[^\0\r\n]*[^\0\r\n\t ])?)?$/;

const maxRemembered = 64;
const maxRememberedLength = 48;

/**
 * Decodes header blocks (RFC 7541) and holds the state between them, so that each block of a connection has to pass
 * through it, in order, wanted or not.
 *
 * Why blocks are remembered: a peer that repeats itself sends indices alone, and the same ones mean the same until the
 * dynamic table changes. Blocks with literals rarely come again and are not kept.
 */
export class HpackDecoder {
  readonly #table: DynamicTable;
  readonly #maxTableSize: number;
  readonly #maxListSize: number;
  readonly #remembered = new Map<string | number, HeaderBlock>();
  #at = 0;

  constructor({ maxTableSize = 4096, maxListSize = 16_384 }: DecoderOptions = {}) {
    this.#maxTableSize = maxTableSize;
    this.#maxListSize = maxListSize;
    this.#table = new DynamicTable(maxTableSize);
  }

  /** Octets that the dynamic table holds. */
  get tableSize(): number {
    return this.#table.size;
  }

  /** Decodes `buffer[start, end)`. Throws HpackError, after which the decoder is of no use. */
  decode(buffer: Buffer, start: number, end: number): HeaderBlock {
    const key = end - start <= maxRememberedLength ? keyOf(buffer, start, end) : undefined;
    if (key !== undefined) {
      const known = this.#remembered.get(key);
      if (known !== undefined) return known;
    }
    const fields: Field[] = [];
    let listSize = 0;
    let valid = true;
    let indicesAlone = true;
    let mayResize = true;
    this.#at = start;
    while (this.#at < end) {
      const octet = buffer[this.#at] as number;
      let field: Field;
      if ((octet & 0x80) !== 0) {
        field = this.#indexed(this.#integer(buffer, end, 0x7f));
      } else if ((octet & 0xe0) === 0x20) {
        // Section 4.2: at the beginning of a block only.
        if (!mayResize) throw new HpackError("table size update behind a field");
        this.#resize(this.#integer(buffer, end, 0x1f));
        indicesAlone = false;
        continue;
      } else {
        const indexing = (octet & 0x40) !== 0;
        field = this.#literal(buffer, end, indexing ? 0x3f : 0x0f);
        if (indexing) this.#add(field);
        indicesAlone = false;
      }
      mayResize = false;
      listSize += field.size;
      if (!field.valid) valid = false;
      // Above the limit a block is decoded for the sake of the table alone.
      if (listSize <= this.#maxListSize) fields.push(field);
    }
    const block: HeaderBlock = { fields, valid, tooLarge: listSize > this.#maxListSize, meaning: undefined };
    if (indicesAlone && key !== undefined) {
      if (this.#remembered.size >= maxRemembered) this.#remembered.clear();
      this.#remembered.set(key, block);
    }
    return block;
  }

  #indexed(index: number): Field {
    const field =
      index < firstDynamicIndex ? staticTable[index - 1] : this.#table.get(index - firstDynamicIndex);
    if (field === undefined) throw new HpackError(`no field has index ${index}`);
    return field;
  }

  #literal(buffer: Buffer, end: number, prefixMask: number): Field {
    const index = this.#integer(buffer, end, prefixMask);
    const known = index === 0 ? undefined : this.#indexed(index);
    const name = known === undefined ? this.#string(buffer, end) : known.name;
    const value = this.#string(buffer, end);
    const validName = known === undefined ? namePattern.test(name) : known.valid || namePattern.test(name);
    return {
      name,
      value,
      size: name.length + value.length + 32,
      valid: validName && valuePattern.test(value),
    };
  }

  #add(field: Field): void {
    this.#table.add(field);
    this.#remembered.clear();
  }

  #resize(maxSize: number): void {
    if (maxSize > this.#maxTableSize) throw new HpackError("the table is larger than was allowed");
    this.#table.resize(maxSize);
    this.#remembered.clear();
  }

  /** Section 5.1. Nothing here needs more than 2^28. */
  #integer(buffer: Buffer, end: number, prefixMask: number): number {
    let value = (buffer[this.#at++] as number) & prefixMask;
    if (value < prefixMask) return value;
    for (let shift = 0; ; shift += 7) {
      if (this.#at >= end || shift > 21) throw new HpackError("an integer is cut off or too large");
      const octet = buffer[this.#at++] as number;
      value += (octet & 0x7f) << shift;
      if ((octet & 0x80) === 0) return value;
    }
  }

  /** Section 5.2. */
  #string(buffer: Buffer, end: number): string {
    if (this.#at >= end) throw new HpackError("a string is missing");
    const coded = ((buffer[this.#at] as number) & 0x80) !== 0;
    const length = this.#integer(buffer, end, 0x7f);
    const start = this.#at;
    if (length > end - start) throw new HpackError("a string is cut off");
    this.#at = start + length;
    return coded ? huffmanDecode(buffer, start, this.#at) : buffer.toString("latin1", start, this.#at);
  }
}

/** Up to three octets, as responses have, make a number, which needs no memory of its own. */
function keyOf(buffer: Buffer, start: number, end: number): string | number {
  const length = end - start;
  if (length > 3) return buffer.toString("latin1", start, end);
  let key = length;
  for (let at = start; at < end; at++) key = (key << 8) | (buffer[at] as number);
  return key;
}
