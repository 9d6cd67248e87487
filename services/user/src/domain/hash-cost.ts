/** argon2id's cost (RFC 9106), with one lane: a second would only help a caller that has idle cores. */
export interface HashCost {
  readonly memoryKib: number;
  readonly passes: number;
}

// OWASP Password Storage Cheat Sheet: settings of equal strength, memory traded for time.
const least: readonly HashCost[] = [
  { memoryKib: 47_104, passes: 1 },
  { memoryKib: 19_456, passes: 2 },
  { memoryKib: 12_288, passes: 3 },
  { memoryKib: 9_216, passes: 4 },
  { memoryKib: 7_168, passes: 5 },
];

/** Whether it is at least one of OWASP's minimum settings. */
export function isStrongEnough(cost: HashCost): boolean {
  return least.some(({ memoryKib, passes }) => cost.memoryKib >= memoryKib && cost.passes >= passes);
}
