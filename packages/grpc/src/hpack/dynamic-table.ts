import type { Field } from "./static-table.ts";

/** The dynamic table of a decoder (RFC 7541, sections 2.3.2 and 4): the newest entry has index 0 here. */
export class DynamicTable {
  readonly #entries: Field[] = [];
  #size = 0;
  #maxSize: number;

  constructor(maxSize: number) {
    this.#maxSize = maxSize;
  }

  /** The octets of all entries by their measure of 32 more each. */
  get size(): number {
    return this.#size;
  }

  get(index: number): Field | undefined {
    return this.#entries[this.#entries.length - 1 - index];
  }

  /** Evicts the oldest until the entry fits; one larger than the table empties it and is no error. */
  add(field: Field): void {
    this.#evict(this.#maxSize - field.size);
    if (field.size > this.#maxSize) return;
    this.#entries.push(field);
    this.#size += field.size;
  }

  resize(maxSize: number): void {
    this.#maxSize = maxSize;
    this.#evict(maxSize);
  }

  #evict(room: number): void {
    while (this.#size > room) {
      const oldest = this.#entries.shift();
      if (oldest === undefined) return;
      this.#size -= oldest.size;
    }
  }
}
