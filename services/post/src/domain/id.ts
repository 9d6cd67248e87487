import { invalidArgument } from "@chirrup/platform";

/** An id as a request must carry it: above zero. INVALID_ARGUMENT with the field's JSON name otherwise. */
export function validId(field: string, id: bigint): bigint {
  if (id <= 0n) throw invalidArgument({ field, description: "must be a positive id" });
  return id;
}

/**
 * The ids of a request, each once, in the order of their first mention. INVALID_ARGUMENT with the field's
 * JSON name when there are none, more than `max` (counted as sent) or one that is not positive.
 */
export function validIds(field: string, ids: readonly bigint[], max: number): bigint[] {
  if (ids.length === 0 || ids.length > max) {
    throw invalidArgument({ field, description: `must hold 1 to ${max} ids` });
  }
  for (const id of ids) validId(field, id);
  return [...new Set(ids)];
}
