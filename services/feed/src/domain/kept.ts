/** Values by id, bounded: those that were not used lately go first. */
export interface Kept<Value> {
  /** What is kept, which stays a while longer for it. */
  use(id: bigint): Value | undefined;
  /** What is kept. */
  peek(id: bigint): Value | undefined;
  /** Not when it alone costs too much. */
  keep(id: bigint, value: Value): void;
  drop(id: bigint): void;
}

interface Place<Value> {
  readonly value: Value;
  wasUsed: boolean;
}

/**
 * Keeps values as long as the sum of their costs is at most `maxCost`. Whose turn it is to go stays once more when it was
 * used since its last turn ("second chance"): moving a value at each use, as an exact order wants, is dearer than the
 * rest of a use.
 */
export function createKept<Value>(maxCost: number, costOf: (value: Value) => number): Kept<Value> {
  // In the order of their turns.
  const places = new Map<bigint, Place<Value>>();
  let cost = 0;

  function drop(id: bigint): void {
    const place = places.get(id);
    if (place === undefined) return;
    places.delete(id);
    cost -= costOf(place.value);
  }
  return {
    use(id) {
      const place = places.get(id);
      if (place === undefined) return undefined;
      place.wasUsed = true;
      return place.value;
    },
    peek: (id) => places.get(id)?.value,
    keep(id, value) {
      drop(id);
      if (costOf(value) > maxCost) return;
      places.set(id, { value, wasUsed: false });
      cost += costOf(value);
      // A place that is put back comes up again, without its mark: so this ends.
      for (const [next, place] of places) {
        if (cost <= maxCost) break;
        if (next === id) continue;
        if (place.wasUsed) {
          place.wasUsed = false;
          places.delete(next);
          places.set(next, place);
        } else {
          drop(next);
        }
      }
    },
    drop,
  };
}
