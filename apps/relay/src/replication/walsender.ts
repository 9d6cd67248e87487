import type { Lsn } from "./lsn.ts";

/** What the server sends in the copy mode of streaming replication. */
export type WalMessage =
  | { readonly kind: "data"; readonly body: Buffer }
  /** `end`: everything before it was decoded and sent. `replyWanted`: the server waits for a status. */
  | { readonly kind: "keepalive"; readonly end: Lsn; readonly replyWanted: boolean };

const postgresEpochMs = Date.UTC(2000, 0, 1);

/** Source: PostgreSQL, "Streaming Replication Protocol", XLogData and Primary keepalive message. */
export function decodeWalMessage(chunk: Buffer): WalMessage | undefined {
  switch (String.fromCharCode(chunk.readUInt8(0))) {
    case "w":
      return { kind: "data", body: chunk.subarray(25) };
    case "k":
      return { kind: "keepalive", end: chunk.readBigUInt64BE(1), replyWanted: chunk.readUInt8(17) === 1 };
    default:
      return undefined;
  }
}

/**
 * A standby status update: everything before `confirmed` is safe elsewhere and need not be sent again.
 *
 * @param replyWanted Asks for a keepalive in return, to see that the server is there.
 */
export function encodeStatus(confirmed: Lsn, replyWanted: boolean): Buffer {
  const status = Buffer.alloc(34);
  status.write("r", 0, "latin1");
  status.writeBigUInt64BE(confirmed, 1); // written
  status.writeBigUInt64BE(confirmed, 9); // flushed: the one that moves the slot
  status.writeBigUInt64BE(confirmed, 17); // applied
  status.writeBigInt64BE(BigInt(Date.now() - postgresEpochMs) * 1_000n, 25);
  status.writeUInt8(replyWanted ? 1 : 0, 33);
  return status;
}
