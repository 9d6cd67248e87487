/** A map that forgets what was used longest ago when it holds more than it may. */
export interface Lru<K, V> {
  /** Counts as a use. */
  get(key: K): V | undefined;
  set(key: K, value: V): void;
  delete(key: K): void;
}

export function createLru<K, V>(maxEntries: number): Lru<K, V> {
  // Two generations in place of a list in order of use: a get moves nothing while the entry is young, and memory
  // stays within `maxEntries`.
  const half = Math.max(1, Math.floor(maxEntries / 2));
  let young = new Map<K, V>();
  let old = new Map<K, V>();

  const set = (key: K, value: V): void => {
    young.set(key, value);
    if (young.size < half) return;
    old = young;
    young = new Map();
  };

  return {
    set,
    get(key) {
      const value = young.get(key);
      if (value !== undefined) return value;
      const older = old.get(key);
      if (older !== undefined) {
        old.delete(key);
        set(key, older);
      }
      return older;
    },
    delete(key) {
      young.delete(key);
      old.delete(key);
    },
  };
}
