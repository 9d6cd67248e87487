import assert from "node:assert/strict";
import type { Slice } from "../src/domain/slice.ts";

export const authorOf = (postId: bigint): bigint => (postId % 3n) + 1n;

export function descending(ids: Iterable<bigint>): bigint[] {
  return [...ids].sort((a, b) => (a < b ? 1 : -1));
}

/**
 * One timeline as it is meant: all that was put into it above a floor that only merges raise. The real one may raise
 * its floor further, as long as what it keeps above is not less than its size. `life` and `revision` stand for what
 * builds and versions compare.
 */
export class TimelineModel {
  kept: { complete: boolean; floor: bigint; ids: Set<bigint>; life: number; revision: number } | undefined;
  readonly #maxEntries: number;
  #lives = 0;

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries;
  }

  begin(): number | undefined {
    if (this.kept?.complete) return undefined;
    this.kept ??= { complete: false, floor: 0n, ids: new Set(), life: ++this.#lives, revision: 0 };
    return this.kept.life;
  }
  push(id: bigint): number {
    this.kept?.ids.add(id);
    return this.kept === undefined ? 0 : 1;
  }
  remove(ids: readonly bigint[]): void {
    for (const id of ids) this.kept?.ids.delete(id);
  }
  merge({ floor, entries }: Slice): void {
    if (this.kept === undefined) return;
    if (floor > this.kept.floor) this.kept.floor = floor;
    this.kept.revision++;
    for (const { postId } of entries) this.kept.ids.add(postId);
  }
  commit(life: number | undefined, found: Slice): boolean {
    if (this.kept === undefined || this.kept.complete || this.kept.life !== life) return false;
    this.kept.complete = true;
    this.merge(found);
    return true;
  }
  version(): string | undefined {
    return this.kept && `${this.kept.complete} ${this.kept.life} ${this.kept.revision}`;
  }
  /**
   * Follows the real floor, looked at after each call, where the timeline had a right to raise it: when its size is
   * above. What it has cut off never comes back.
   */
  follow(floor: bigint): bigint[] {
    const { kept } = this;
    assert(kept !== undefined && floor >= kept.floor, "the floor fell");
    const above = descending(kept.ids).filter((id) => id > floor);
    if (floor > kept.floor) assert(above.length >= this.#maxEntries, "more was cut off than is too much");
    kept.floor = floor;
    kept.ids = new Set(above);
    return above;
  }
}
