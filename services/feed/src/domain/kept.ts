/** Values by id, bounded: the least recently used go first. */
export interface Kept<Value> {
  /** What is kept, which becomes the most recently used. */
  use(id: bigint): Value | undefined;
  /** What is kept; its place stays. */
  peek(id: bigint): Value | undefined;
  keep(id: bigint, value: Value): void;
  drop(id: bigint): void;
}

/** Keeps values as long as the sum of their costs is at most `maxCost`. */
export function createKept<Value>(maxCost: number, costOf: (value: Value) => number): Kept<Value> {
  // In the order of use.
  const values = new Map<bigint, Value>();
  let cost = 0;

  function drop(id: bigint): void {
    const value = values.get(id);
    if (value === undefined) return;
    values.delete(id);
    cost -= costOf(value);
  }
  return {
    use(id) {
      const value = values.get(id);
      if (value === undefined) return undefined;
      values.delete(id);
      values.set(id, value);
      return value;
    },
    peek: (id) => values.get(id),
    keep(id, value) {
      drop(id);
      values.set(id, value);
      cost += costOf(value);
      for (const oldest of values.keys()) {
        if (cost <= maxCost) break;
        drop(oldest);
      }
    },
    drop,
  };
}
