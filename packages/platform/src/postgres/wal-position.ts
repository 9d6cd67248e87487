/** A place in the write-ahead log. Positions of different timelines cannot be compared: a promotion lies between. */
export interface WalPosition {
  /** Counts the promotions in a server's history; from 1. */
  readonly timeline: number;
  /** Bytes since the beginning, 64 bits without a sign. */
  readonly lsn: bigint;
}

/** Whether a server that has come to `at` has what was written up to `wanted`. */
export function includes(at: WalPosition, wanted: WalPosition): boolean {
  return at.timeline === wanted.timeline && at.lsn >= wanted.lsn;
}

/** Reads a pg_lsn: "16/B374D848". */
export function parseLsn(text: string): bigint {
  const [high = "", low = ""] = text.split("/");
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}
