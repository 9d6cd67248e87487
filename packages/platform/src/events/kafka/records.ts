import type { Consumer, RecordsBatch } from "@platformatic/kafka";

const controlBatch = 0x20;
const appendTime = 0x08;

/** What a fetch brings. */
export type FetchResponse = Awaited<ReturnType<Consumer["fetch"]>>;

/** A record with what its batch says of it. */
export interface FetchedRecord {
  readonly offset: bigint;
  readonly key: string;
  readonly value: Uint8Array;
  readonly headers: readonly (readonly [Buffer | null, Buffer | null])[];
  /** When it was appended or, if the topic says so, made; epoch ms. */
  readonly appendedAtMs: number;
}

/** The records of a batch; none of one that only marks the end of a transaction. */
export function* recordsOf(batch: RecordsBatch): Generator<FetchedRecord> {
  if ((batch.attributes & controlBatch) !== 0) return;
  const stampedByBroker = (batch.attributes & appendTime) !== 0;
  for (const { key, value, headers, offsetDelta, timestampDelta } of batch.records) {
    yield {
      offset: batch.firstOffset + BigInt(offsetDelta),
      key: key?.toString() ?? "",
      value: value ?? new Uint8Array(),
      headers,
      appendedAtMs: Number(stampedByBroker ? batch.maxTimestamp : batch.firstTimestamp + timestampDelta),
    };
  }
}

/** The last offset that a batch takes, with a record or without. */
export const lastOffsetOf = (batch: RecordsBatch): bigint =>
  batch.firstOffset + BigInt(batch.lastOffsetDelta);
