import type { Lsn } from "./lsn.ts";
import type { OutboxRow, PgoutputMessage } from "./pgoutput.ts";
import { PgoutputError } from "./pgoutput.ts";
import { covers, type Position } from "./position.ts";

export interface Batch {
  /** In commit order; empty when the transactions had nothing new. */
  readonly rows: readonly OutboxRow[];
  /** Where the source is when the rows are appended. */
  readonly position: Position;
  /** What may be confirmed then; undefined while no transaction has ended. */
  readonly confirmable: Lsn | undefined;
}

/** Collects what was received and not yet taken. */
export interface Batcher {
  /** Bytes of the payloads and keys that wait. */
  readonly bytes: number;
  /** Nothing waits, and no transaction has begun that has not ended. */
  readonly idle: boolean;
  add(message: PgoutputMessage): void;
  /** The next rows, at most `maxRows`, and all transactions that end with them. */
  take(maxRows: number): Batch | undefined;
}

/** What each row costs beside its payload. */
const rowOverheadBytes = 128;

/**
 * Numbers the rows of each transaction and leaves out those that were appended before.
 *
 * @param start Where the source was found.
 */
export function createBatcher(start: Position): Batcher {
  type Item = { readonly position: Position; readonly row?: OutboxRow };
  let items: Item[] = [];
  let bytes = 0;
  let open: { readonly lsn: Lsn; rows: number } | undefined;

  function current(): { readonly lsn: Lsn; rows: number } {
    if (open === undefined) throw new PgoutputError("a row or a commit outside a transaction");
    return open;
  }

  return {
    get bytes() {
      return bytes;
    },
    get idle() {
      return open === undefined && items.length === 0;
    },
    add(message) {
      switch (message.kind) {
        case "begin":
          open = { lsn: message.commitLsn, rows: 0 };
          return;
        case "insert": {
          const transaction = current();
          const position = { lsn: transaction.lsn, row: ++transaction.rows };
          if (covers(start, position)) return;
          items.push({ position, row: message.row });
          bytes += sizeOf(message.row);
          return;
        }
        case "commit":
          current();
          open = undefined;
          items.push({ position: { lsn: message.endLsn, row: 0 } });
      }
    },
    take(maxRows) {
      const rows: OutboxRow[] = [];
      let position: Position | undefined;
      let confirmable: Lsn | undefined;
      let taken = 0;
      for (const item of items) {
        if (item.row !== undefined) {
          if (rows.length === maxRows) break;
          rows.push(item.row);
          bytes -= sizeOf(item.row);
        } else confirmable = item.position.lsn;
        position = item.position;
        taken++;
      }
      items = items.slice(taken);
      return position === undefined ? undefined : { rows, position, confirmable };
    },
  };
}

function sizeOf({ topic, key, payload }: OutboxRow): number {
  return topic.length + key.length + payload.length + rowOverheadBytes;
}
