import { huffmanEncode, huffmanLength } from "./huffman.ts";
import { firstDynamicIndex, staticFieldIndex, staticNameIndex } from "./static-table.ts";

/**
 * How a field that no table holds is written (RFC 7541, section 6.2): `index` takes it into the dynamic table,
 * `plain` does not, `never` says that no one on the way may do so either.
 */
export type Indexing = "index" | "plain" | "never";

const defaultTableSize = 4096;
const entryOverhead = 32;

/**
 * Encodes header blocks (RFC 7541). Blocks have to be sent in the order of their encoding.
 *
 * Why it never evicts: what a connection repeats is seen early. Once the table is full the index of an entry stays, so
 * that a block of such entries can be kept as octets (`revision` tells for how long) and costs a copy.
 */
export class HpackEncoder {
  #out: Buffer = Buffer.allocUnsafeSlow(1024);
  #length = 0;
  #maxSize = defaultTableSize;
  #size = 0;
  #added = 0;
  /** By name, and by name and value: the count of entries when this one was added. */
  readonly #names = new Map<string, number>();
  readonly #fields = new Map<string, number>();
  #revision = 0;
  #resized = false;

  /** Changes whenever the indices of the dynamic table do. */
  get revision(): number {
    return this.#revision;
  }

  /** Obeys the peer's SETTINGS_HEADER_TABLE_SIZE; more than the default of 4096 is not used. */
  limitTable(maxSize: number): void {
    const wanted = Math.min(maxSize, defaultTableSize);
    if (wanted === this.#maxSize) return;
    this.#maxSize = wanted;
    this.#size = 0;
    this.#added = 0;
    this.#names.clear();
    this.#fields.clear();
    this.#revision++;
    this.#resized = true;
  }

  begin(): void {
    this.#length = 0;
    if (!this.#resized) return;
    this.#resized = false;
    // Section 4.2: empties the peer's table as this one was, then sets its size.
    this.#integer(0, 0x20, 0x1f);
    this.#integer(this.#maxSize, 0x20, 0x1f);
  }

  /** Adds a field. Its name is lower case; both are octets (latin1). */
  field(name: string, value: string, indexing: Indexing): void {
    this.#reserve(name.length + value.length + 16);
    const fixed = staticFieldIndex(name, value);
    if (fixed !== 0) return this.#integer(fixed, 0x80, 0x7f);
    if (indexing !== "never") {
      const added = this.#fields.get(`${name}\0${value}`);
      if (added !== undefined) return this.#integer(this.#indexOf(added), 0x80, 0x7f);
    }
    const size = name.length + value.length + entryOverhead;
    const takes = indexing === "index" && this.#size + size <= this.#maxSize;
    const index = this.#nameIndex(name);
    if (takes) this.#integer(index, 0x40, 0x3f);
    else this.#integer(index, indexing === "never" ? 0x10 : 0, 0x0f);
    if (index === 0) this.#string(name, takes);
    this.#string(value, takes);
    if (!takes) return;
    this.#size += size;
    this.#added++;
    this.#revision++;
    this.#names.set(name, this.#added);
    this.#fields.set(`${name}\0${value}`, this.#added);
  }

  /**
   * Adds a field of a name that comes again with other values: the first of them is taken into the table, so that the
   * name is sent once.
   */
  varying(name: string, value: string): void {
    const index = this.#nameIndex(name);
    if (index === 0) return this.field(name, value, "index");
    this.#reserve(value.length + 16);
    this.#integer(index, 0, 0x0f);
    this.#string(value, false);
  }

  /** Adds octets that this encoder has made at this revision. */
  octets(block: Uint8Array): void {
    this.#reserve(block.length);
    this.#out.set(block, this.#length);
    this.#length += block.length;
  }

  /** The block since `begin`: a view that the next `begin` overwrites. */
  end(): Buffer {
    return this.#out.subarray(0, this.#length);
  }

  #indexOf(added: number): number {
    return firstDynamicIndex + this.#added - added;
  }

  #nameIndex(name: string): number {
    const fixed = staticNameIndex(name);
    if (fixed !== 0) return fixed;
    const added = this.#names.get(name);
    return added === undefined ? 0 : this.#indexOf(added);
  }

  #integer(value: number, pattern: number, prefixMask: number): void {
    const out = this.#out;
    if (value < prefixMask) {
      out[this.#length++] = pattern | value;
      return;
    }
    out[this.#length++] = pattern | prefixMask;
    let rest = value - prefixMask;
    for (; rest >= 128; rest >>>= 7) out[this.#length++] = (rest & 0x7f) | 0x80;
    out[this.#length++] = rest;
  }

  /** What is sent once may take the time for Huffman's code; what is sent each time is sent as it is. */
  #string(text: string, compress: boolean): void {
    const coded = compress ? huffmanLength(text) : text.length;
    if (coded < text.length) {
      this.#integer(coded, 0x80, 0x7f);
      this.#length = huffmanEncode(text, this.#out, this.#length);
      return;
    }
    this.#integer(text.length, 0, 0x7f);
    this.#length += this.#out.write(text, this.#length, "latin1");
  }

  #reserve(octets: number): void {
    const needed = this.#length + octets;
    if (needed <= this.#out.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#out.length * 2));
    larger.set(this.#out.subarray(0, this.#length));
    this.#out = larger;
  }
}
