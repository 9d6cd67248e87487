/** Whether the id `a` is higher than `b`, both as text; cheaper than making bigints of both. */
export function isAbove(a: string, b: string): boolean {
  return a.length === b.length ? a > b : a.length > b.length;
}

/** Of ids in any order, those between two others, highest first, each once, at most `limit`. */
export function newestOf(
  ids: readonly string[],
  { before, floor, limit }: { readonly before: string; readonly floor: string; readonly limit: number },
): string[] {
  const ascending = areAscending(ids) ? ids : inOrder(ids);
  const newest: string[] = [];
  for (let at = ascending.length - 1; at >= 0 && newest.length < limit; at -= 1) {
    const id = ascending[at] ?? "";
    if (!isAbove(id, floor)) break;
    if (isAbove(before, id)) newest.push(id);
  }
  return newest;
}

/** Pushes mostly come in order. */
function areAscending(ids: readonly string[]): boolean {
  for (let at = 1; at < ids.length; at += 1) if (!isAbove(ids[at] ?? "", ids[at - 1] ?? "")) return false;
  return true;
}

function inOrder(ids: readonly string[]): string[] {
  return [...new Set(ids)].sort((a, b) => (isAbove(a, b) ? 1 : -1));
}
