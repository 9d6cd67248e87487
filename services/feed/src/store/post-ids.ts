/** Whether the id `a` is higher than `b`, both as text; cheaper than making bigints of both. */
export function isAbove(a: string, b: string): boolean {
  return a.length === b.length ? a > b : a.length > b.length;
}

/** Of ids in any order, those between two others, highest first, each once, at most `limit`. */
export function newestOf(
  ids: readonly string[],
  { before, floor, limit }: { readonly before: string; readonly floor: string; readonly limit: number },
): string[] {
  const between = ids.filter((id) => isAbove(id, floor) && isAbove(before, id));
  const ordered = between.every((id, at) => at === 0 || isAbove(between[at - 1] ?? "", id));
  if (!ordered) between.sort((a, b) => (a === b ? 0 : isAbove(b, a) ? 1 : -1));
  const newest: string[] = [];
  for (const id of between) {
    if (newest.length === limit) break;
    if (id !== newest.at(-1)) newest.push(id);
  }
  return newest;
}
