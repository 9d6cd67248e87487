import { formatLsn, type Lsn, parseLsn } from "./lsn.ts";

/**
 * How far one source was appended: all transactions whose commit record begins before `lsn`, and the first
 * `row` rows of the one whose commit record begins at `lsn`.
 *
 * Why rows: logical decoding repeats a transaction from its beginning, always with the same rows in the
 * same order. Counting them lets a huge transaction be appended in pieces and none of it twice.
 */
export interface Position {
  readonly lsn: Lsn;
  readonly row: number;
}

/** `16/B374D848+0` */
export function formatPosition({ lsn, row }: Position): string {
  return `${formatLsn(lsn)}+${row}`;
}

export function parsePosition(text: string): Position {
  const plus = text.indexOf("+");
  const row = Number(text.slice(plus + 1));
  if (plus === -1 || !Number.isSafeInteger(row)) throw new Error(`not a position: ${text}`);
  return { lsn: parseLsn(text.slice(0, plus)), row };
}

/** Whether what ends at `position` was appended by one who reached `reached`. */
export function covers(reached: Position, position: Position): boolean {
  return position.lsn < reached.lsn || (position.lsn === reached.lsn && position.row <= reached.row);
}
