import type { Postgres, Queryable } from "@chirrup/platform";
import type { StoredSigningKey } from "../domain/signing-key.ts";
import { insertSecurityEvent } from "./security-event.ts";

export async function listSigningKeys(db: Queryable): Promise<StoredSigningKey[]> {
  return db.query<StoredSigningKey>({
    name: "signing_keys_list",
    text: `SELECT kid, public_jwk AS "publicJwk", sealed_private_key AS "sealedPrivateKey",
                  created_at AS "createdAt"
           FROM signing_keys ORDER BY created_at, kid`,
  });
}

/**
 * Changes the keys while nobody else does: of any number of processes that find a new key due, one makes it.
 *
 * @param decide - Is given the keys as they are; answers what is to be added and removed.
 */
export async function changeSigningKeys(
  postgres: Postgres,
  decide: (
    keys: readonly StoredSigningKey[],
  ) => Promise<{ added?: StoredSigningKey | undefined; removedKids: readonly string[] }>,
  now: Date,
): Promise<void> {
  await postgres.transaction(async (tx) => {
    await tx.query({
      name: "signing_keys_lock",
      text: "LOCK TABLE signing_keys IN SHARE ROW EXCLUSIVE MODE",
    });
    const { added, removedKids } = await decide(await listSigningKeys(tx));
    const event = { at: now, address: "", userAgent: "" };
    if (added !== undefined) {
      await insertSigningKey(tx, added);
      await insertSecurityEvent(tx, { ...event, kind: "signing_key_rotated" });
    }
    if (removedKids.length > 0) {
      await tx.query({
        name: "signing_keys_remove",
        text: "DELETE FROM signing_keys WHERE kid = ANY ($1::text[])",
        values: [removedKids],
      });
      await insertSecurityEvent(tx, { ...event, kind: "signing_key_retired" });
    }
  });
}

/** Publishes a key; processes sign with it once verifiers have had time to fetch it. */
export async function insertSigningKey(db: Queryable, key: StoredSigningKey): Promise<void> {
  await db.query({
    name: "signing_key_insert",
    text: `INSERT INTO signing_keys (kid, public_jwk, sealed_private_key, created_at)
           VALUES ($1, $2, $3, $4)`,
    values: [key.kid, JSON.stringify(key.publicJwk), key.sealedPrivateKey, key.createdAt],
  });
}
