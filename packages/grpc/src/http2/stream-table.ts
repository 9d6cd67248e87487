import type { Stream } from "./stream.ts";

const firstLength = 16;

/**
 * The open streams of a connection, by their ids.
 *
 * Why not a Map: with keys that come and go it makes a new table every so many insertions, and the one before, which has
 * long moved to the old heap, holds on to the new one and to the calls that were under way then. So each call of a busy
 * connection would survive to be collected with the old heap, at many times the price. Here streams are linked in and
 * out of slots, and nothing that is out refers to anything.
 */
export class StreamTable {
  #slots: (Stream | undefined)[] = emptySlots(firstLength);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(id: number): Stream | undefined {
    let stream = this.#slots[slotOf(id, this.#slots.length)];
    while (stream !== undefined && stream.id !== id) stream = stream.nextInSlot;
    return stream;
  }

  /** Adds a stream, whose id is not there yet. */
  add(stream: Stream): void {
    if (this.#size === this.#slots.length) this.#grow();
    this.#size++;
    this.#link(stream);
  }

  /** False when it is not there. */
  delete(stream: Stream): boolean {
    const slot = slotOf(stream.id, this.#slots.length);
    let before: Stream | undefined;
    let at = this.#slots[slot];
    while (at !== undefined && at !== stream) {
      before = at;
      at = at.nextInSlot;
    }
    if (at === undefined) return false;
    if (before === undefined) this.#slots[slot] = stream.nextInSlot;
    else before.nextInSlot = stream.nextInSlot;
    stream.nextInSlot = undefined;
    this.#size--;
    return true;
  }

  /** Those that are there now. */
  all(): Stream[] {
    const streams: Stream[] = [];
    for (const first of this.#slots) {
      for (let stream = first; stream !== undefined; stream = stream.nextInSlot) streams.push(stream);
    }
    return streams;
  }

  clear(): void {
    for (const stream of this.all()) stream.nextInSlot = undefined;
    this.#slots = emptySlots(firstLength);
    this.#size = 0;
  }

  #link(stream: Stream): void {
    const slot = slotOf(stream.id, this.#slots.length);
    stream.nextInSlot = this.#slots[slot];
    this.#slots[slot] = stream;
  }

  #grow(): void {
    const streams = this.all();
    this.#slots = emptySlots(this.#slots.length * 2);
    for (const stream of streams) this.#link(stream);
  }
}

function emptySlots(length: number): (Stream | undefined)[] {
  return Array.from({ length }, () => undefined);
}

/** A client's ids are odd and one behind the other, and servers open none; `length` is a power of two. */
function slotOf(id: number, length: number): number {
  return (id >>> 1) & (length - 1);
}
