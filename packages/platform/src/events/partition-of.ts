/** Partitions of a topic. Part of the stored layout: another number would move keys, and their order with them. */
export const partitionCount = 8;

const seed = 0x9747b28c;
const multiplier = 0x5bd1e995;

/**
 * MurmurHash2 (Austin Appleby) with Kafka's seed, as a signed 32-bit number.
 *
 * Why this hash: it is the one of Kafka's default partitioner, so a key has the same partition number
 * in either carrier.
 */
export function murmur2(data: Uint8Array): number {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  let hash = seed ^ data.length;
  let at = 0;
  for (; at + 4 <= data.length; at += 4) {
    let word = Math.imul(view.getInt32(at, true), multiplier);
    word = Math.imul(word ^ (word >>> 24), multiplier);
    hash = Math.imul(hash, multiplier) ^ word;
  }
  const rest = data.length - at;
  if (rest > 0) {
    for (let i = rest - 1; i >= 0; i--) hash ^= view.getUint8(at + i) << (8 * i);
    hash = Math.imul(hash, multiplier);
  }
  hash = Math.imul(hash ^ (hash >>> 13), multiplier);
  return hash ^ (hash >>> 15);
}

const encoder = new TextEncoder();

/** The partition of a key: 0 to `partitions` − 1, the same in every process and carrier. */
export function partitionOf(key: string, partitions: number = partitionCount): number {
  return (murmur2(encoder.encode(key)) & 0x7fffffff) % partitions;
}
