import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";

// 63 bits of a signed int64: 41 of milliseconds, 10 of node, 12 of sequence (Twitter's Snowflake).

/** The time of id 0: 2026-01-01T00:00:00Z. 41 bits of milliseconds last until September 2095. */
export const EPOCH_MS: number = Date.UTC(2026, 0, 1);

export const nodeCount = 1024;
export const maxSequence = 4095;
export const maxTimeMs: number = EPOCH_MS + 2 ** 41 - 1;

const timeShift = 22n;
const nodeSpan = maxSequence + 1;

export function composeId(timeMs: number, node: number, sequence: number): bigint {
  return (BigInt(timeMs - EPOCH_MS) << timeShift) | BigInt(node * nodeSpan + sequence);
}

/** The millisecond (since 1970) in which the id was made. */
export function idTimeMs(id: bigint): number {
  return Number(id >> timeShift) + EPOCH_MS;
}

/** The least id of a millisecond (since 1970); of a time before the epoch, 0. */
export function firstIdAt(ms: number): bigint {
  return BigInt(Math.max(0, Math.floor(ms) - EPOCH_MS)) << timeShift;
}

/** The id's millisecond as a protobuf timestamp: the `created_at` of whatever the id names. */
export function timestampOf(id: bigint): Timestamp {
  return timestampFromMs(idTimeMs(id));
}
