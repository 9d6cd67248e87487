/** Whether the id `a` is higher than `b`, both as text; cheaper than making bigints of both. */
export function isAbove(a: string, b: string): boolean {
  return a.length === b.length ? a > b : a.length > b.length;
}

/** Of ids in any order, those between two others, highest first, each once, at most `limit`. */
export function newestOf(
  ids: readonly string[],
  { before, floor, limit }: { readonly before: string; readonly floor: string; readonly limit: number },
): string[] {
  const ascending = areAscending(ids) ? ids : ids.toSorted((a, b) => (a === b ? 0 : isAbove(a, b) ? 1 : -1));
  const newest: string[] = [];
  for (let at = ascending.length - 1; at >= 0 && newest.length < limit; at -= 1) {
    const id = ascending[at] ?? "";
    if (!isAbove(id, floor)) break;
    if (isAbove(newest.at(-1) ?? before, id)) newest.push(id);
  }
  return newest;
}

/** Whether none is higher than the one after it: pushes mostly come so. */
function areAscending(ids: readonly string[]): boolean {
  for (let at = 1; at < ids.length; at += 1) if (isAbove(ids[at - 1] ?? "", ids[at] ?? "")) return false;
  return true;
}
