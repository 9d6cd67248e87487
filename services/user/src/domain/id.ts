import type { Checked } from "./text.ts";

/** An id that something could have. */
export function checkId(id: bigint): Checked<bigint> {
  return id > 0n ? { value: id } : { problem: "must be an id" };
}

/** 1 to max ids, duplicates counted; the answer has each once, in the order of its first place. */
export function checkIds(ids: readonly bigint[], max: number): Checked<bigint[]> {
  if (ids.length === 0 || ids.length > max) return { problem: `must be 1 to ${max} ids` };
  return ids.every((id) => id > 0n) ? { value: [...new Set(ids)] } : { problem: "must be ids" };
}
