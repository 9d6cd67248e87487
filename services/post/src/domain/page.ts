/** The highest id there can be: lists without a cursor start below it. */
export const endOfIds: bigint = 2n ** 63n - 1n;

/** One page of a list, and the id that the next begins below; undefined at the end of the list. */
export interface Page<Row> {
  readonly rows: Row[];
  readonly last: bigint | undefined;
}

/** Cuts a page of `size` from rows that were read with one more than that, to learn whether it is the end. */
export function pageOf<Row extends { readonly id: bigint }>(rows: readonly Row[], size: number): Page<Row> {
  const page = rows.slice(0, size);
  return { rows: page, last: rows.length > size ? page.at(-1)?.id : undefined };
}
