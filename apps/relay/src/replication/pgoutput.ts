import type { Lsn } from "./lsn.ts";

/** One row of an outbox. */
export interface OutboxRow {
  readonly topic: string;
  readonly key: string;
  readonly payload: Buffer;
}

export type PgoutputMessage =
  /** `commitLsn`: where the commit record begins; identifies the transaction and orders it. */
  | { readonly kind: "begin"; readonly commitLsn: Lsn }
  | { readonly kind: "insert"; readonly row: OutboxRow }
  /** `endLsn`: where the commit record ends; confirming it confirms the transaction. */
  | { readonly kind: "commit"; readonly endLsn: Lsn };

/** A stream that breaks the protocol, or a table that is no outbox. */
export class PgoutputError extends Error {
  override readonly name = "PgoutputError";
}

const columns = ["topic", "key", "payload"] as const;

/** Where in a tuple of a relation the outbox's columns are. */
type Layout = Readonly<Record<(typeof columns)[number], number>>;

export interface PgoutputDecoder {
  /**
   * Decodes the body of one XLogData message; undefined for what an outbox has no use for. The row is copied:
   * pg reuses the buffer that the message lies in.
   */
  decode(message: Buffer): PgoutputMessage | undefined;
}

/**
 * Decodes what an outbox needs of pgoutput, protocol version 1 with `binary` on: whole committed transactions
 * in commit order. A decoder belongs to one connection, as the server names each relation once.
 *
 * Source: PostgreSQL, "Logical Replication Message Formats".
 */
export function createPgoutputDecoder(): PgoutputDecoder {
  const layouts = new Map<number, Layout>();
  return {
    decode(message) {
      switch (String.fromCharCode(message.readUInt8(0))) {
        case "B":
          return { kind: "begin", commitLsn: message.readBigUInt64BE(1) };
        case "C":
          // After a byte of flags and the LSN where the commit record begins.
          return { kind: "commit", endLsn: message.readBigUInt64BE(10) };
        case "R":
          layouts.set(message.readUInt32BE(1), readLayout(message));
          return undefined;
        case "I": {
          const layout = layouts.get(message.readUInt32BE(1));
          if (layout === undefined) throw new PgoutputError("a row of an unknown relation");
          return { kind: "insert", row: readRow(message, layout) };
        }
        // Origin, type, truncate, logical message; update and delete, which the publication leaves out.
        default:
          return undefined;
      }
    },
  };
}

function readLayout(message: Buffer): Layout {
  let at = 5;
  const text = (): string => {
    const end = message.indexOf(0, at);
    const value = message.toString("utf8", at, end);
    at = end + 1;
    return value;
  };
  const relation = `${text()}.${text()}`;
  at += 1; // replica identity
  const count = message.readUInt16BE(at);
  at += 2;
  const names = Array.from({ length: count }, () => {
    at += 1; // flags
    const name = text();
    at += 8; // type and its modifier
    return name;
  });
  const index = (name: string): number => {
    const found = names.indexOf(name);
    if (found === -1) throw new PgoutputError(`${relation} has no column ${name}: it is no outbox`);
    return found;
  };
  return { topic: index("topic"), key: index("key"), payload: index("payload") };
}

function readRow(message: Buffer, layout: Layout): OutboxRow {
  // After the tag, the relation and "N" for a new tuple.
  const count = message.readUInt16BE(6);
  const values: (Buffer | undefined)[] = [];
  let at = 8;
  for (let i = 0; i < count; i++) {
    const format = String.fromCharCode(message.readUInt8(at++));
    if (format === "n" || format === "u") {
      values.push(undefined);
      continue;
    }
    const length = message.readUInt32BE(at);
    at += 4;
    values.push(format === "b" ? message.subarray(at, at + length) : undefined);
    at += length;
  }
  const value = (name: (typeof columns)[number]): Buffer => {
    const found = values[layout[name]];
    if (found === undefined) throw new PgoutputError(`a row without a binary ${name}`);
    return found;
  };
  return {
    topic: value("topic").toString("utf8"),
    key: value("key").toString("utf8"),
    payload: Buffer.from(value("payload")),
  };
}
