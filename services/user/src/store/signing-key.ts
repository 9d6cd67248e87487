import type { Postgres, Queryable } from "@chirrup/platform";
import type { StoredSigningKey } from "../domain/signing-key.ts";

export async function listSigningKeys(db: Queryable): Promise<StoredSigningKey[]> {
  return db.query<StoredSigningKey>({
    name: "signing_keys_list",
    text: `SELECT kid, public_jwk AS "publicJwk", sealed_private_key AS "sealedPrivateKey",
                  created_at AS "createdAt"
           FROM signing_keys ORDER BY created_at, kid`,
  });
}

/** Stores the first key. Of two processes that start at once on an empty table, one stores its own. */
export async function storeFirstSigningKey(
  postgres: Postgres,
  generate: () => Promise<StoredSigningKey>,
): Promise<void> {
  await postgres.transaction(async (tx) => {
    await tx.query({
      name: "signing_keys_lock",
      text: "LOCK TABLE signing_keys IN SHARE ROW EXCLUSIVE MODE",
    });
    if ((await listSigningKeys(tx)).length === 0) await insertSigningKey(tx, await generate());
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
