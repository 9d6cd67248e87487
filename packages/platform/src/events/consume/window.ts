/** A place in a partition: the id of a record, and how many records the carrier counts up to it. */
export interface Position {
  readonly id: string;
  readonly count: number;
}

/** One record that was read and not committed. */
export interface Slot {
  readonly id: string;
  done: boolean;
}

/**
 * The records of one partition between the committed position and what was read, in order. They are
 * handled in any order; only a prefix without a gap may be committed, or a crash would skip the gap.
 */
export interface Window {
  /** Records read and not committed. */
  readonly size: number;
  add(id: string): Slot;
  complete(slot: Slot): void;
  /** The end of the handled prefix, or undefined when nothing new may be committed. O(1). */
  committable(): Position | undefined;
  /** Drops what lies up to a position that {@link committable} gave. */
  committed(position: Position): void;
}

export function createWindow(start: Position): Window {
  let count = start.count;
  let slots: Slot[] = [];
  /** Slots at the front that are done. */
  let prefix = 0;
  return {
    get size() {
      return slots.length;
    },
    add(id) {
      const slot: Slot = { id, done: false };
      slots.push(slot);
      return slot;
    },
    complete(slot) {
      slot.done = true;
      while (slots[prefix]?.done === true) prefix++;
    },
    committable() {
      const last = slots[prefix - 1];
      return last === undefined ? undefined : { id: last.id, count: count + prefix };
    },
    committed(position) {
      const dropped = position.count - count;
      if (dropped <= 0) return;
      slots = slots.slice(dropped);
      prefix -= dropped;
      count = position.count;
    },
  };
}
