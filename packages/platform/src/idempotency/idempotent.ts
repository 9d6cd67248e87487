import { createHash } from "node:crypto";
import { Status } from "@chirrup/grpc";
import { DomainError, invalidArgument } from "../errors/index.ts";
import type { Queryable } from "../postgres/index.ts";

export interface IdempotentCall {
  /** Keys of one caller are unknown to every other. */
  callerId: bigint;
  /** The Idempotency-Key, 1 to 128 printable ASCII characters; undefined when the caller sent none. */
  key: string | undefined;
  /** The rpc, for example "chirrup.post.v1.PostService/CreatePost": a key serves for one of each. */
  method: string;
  /** The request in its binary form. */
  request: Uint8Array;
}

const keyPattern = /^[\x20-\x7e]{1,128}$/;

/**
 * The response of `work`, done at most once for a caller's key and method within 24 hours; the stored
 * response when it has been done. Without a key it is simply done.
 *
 * To be called first thing in the transaction that `work` writes in, so that the key and the effect are
 * committed together. Of two calls at once the second waits for the first one's commit; if the first rolls
 * back, the second does the work. Two round trips besides those of `work`.
 *
 * Throws INVALID_ARGUMENT for a bad key, and with reason IDEMPOTENCY_KEY_REUSED for a key that came with
 * another request before.
 * Source: draft-ietf-httpapi-idempotency-key-header.
 */
export async function idempotent(
  tx: Queryable,
  call: IdempotentCall,
  work: () => Promise<Uint8Array>,
): Promise<Uint8Array> {
  if (call.key === undefined) return work();
  if (!keyPattern.test(call.key)) {
    throw invalidArgument({
      field: "Idempotency-Key",
      description: "must be 1 to 128 printable ASCII characters",
    });
  }
  const requestHash = createHash("sha256").update(call.request).digest();
  const id = [call.callerId, call.key, call.method];

  if (!(await claimKey(tx, id, requestHash))) {
    const stored = await readKey(tx, id);
    if (!requestHash.equals(stored.requestHash)) throw keyReused();
    return stored.response;
  }
  const response = await work();
  await tx.query({
    name: "idempotency_keys_store",
    text: "update idempotency_keys set response = $4 where caller_id = $1 and key = $2 and method = $3",
    values: [...id, response],
  });
  return response;
}

/** False when the key is taken. Waits for a transaction that is just taking it. */
async function claimKey(tx: Queryable, id: readonly unknown[], requestHash: Uint8Array): Promise<boolean> {
  const rows = await tx.query({
    name: "idempotency_keys_claim",
    text: `
      insert into idempotency_keys as k (caller_id, key, method, request_hash) values ($1, $2, $3, $4)
      on conflict (caller_id, key, method) do update
        set request_hash = excluded.request_hash, response = null, created_at = excluded.created_at
        where k.created_at < now() - interval '24 hours'
      returning 1`,
    values: [...id, requestHash],
  });
  return rows.length > 0;
}

async function readKey(
  tx: Queryable,
  id: readonly unknown[],
): Promise<{ requestHash: Uint8Array; response: Uint8Array }> {
  const [row] = await tx.query<{ request_hash: Buffer; response: Buffer | null }>({
    name: "idempotency_keys_read",
    text: "select request_hash, response from idempotency_keys where caller_id = $1 and key = $2 and method = $3",
    values: id,
  });
  // ON CONFLICT DO UPDATE has locked the row, so it has not gone since.
  if (row === undefined || row.response === null) {
    throw new Error("an idempotency key was committed without its response");
  }
  return { requestHash: row.request_hash, response: row.response };
}

function keyReused(): DomainError {
  return new DomainError(
    Status.INVALID_ARGUMENT,
    "IDEMPOTENCY_KEY_REUSED",
    "this Idempotency-Key was used with another request",
  );
}
