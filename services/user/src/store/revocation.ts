import type { Queryable } from "@chirrup/platform";
import type { Revocation } from "../domain/revocation.ts";

/** The revocations in (after, coveredTo], all of them that can still matter. */
export interface RevocationPage {
  readonly revocations: readonly Revocation[];
  readonly coveredTo: bigint;
  /** The highest revision there was when the page was read. */
  readonly latest: bigint;
}

/** Takes the counter's row lock, which the transaction keeps: revisions are handed out in commit order. */
export async function insertRevocations(
  tx: Queryable,
  sessionIds: readonly bigint[],
  forgetAt: Date,
): Promise<void> {
  await tx.query({
    name: "revocations_insert",
    text: `WITH counter AS (
             UPDATE revocation_counter SET revision = revision + cardinality($1::bigint[]) RETURNING revision
           )
           INSERT INTO revocations (revision, session_id, forget_at)
           SELECT counter.revision - cardinality($1) + ended.place, ended.id, $2
           FROM counter, unnest($1::bigint[]) WITH ORDINALITY AS ended (id, place)`,
    values: [sessionIds, forgetAt],
  });
}

/** One statement, so that the page and `latest` are of one snapshot. */
export async function readRevocations(
  db: Queryable,
  page: { after: bigint; now: Date; limit: number },
): Promise<RevocationPage> {
  const rows = await db.query<{ latest: bigint } & { [K in keyof Revocation]: Revocation[K] | null }>({
    name: "revocations_read",
    text: `SELECT c.revision AS latest, r.revision, r.session_id AS "sessionId", r.forget_at AS "forgetAt"
           FROM revocation_counter c
           LEFT JOIN revocations r ON r.revision > $1 AND r.forget_at > $2
           ORDER BY r.revision LIMIT $3`,
    values: [page.after, page.now, page.limit],
  });
  const latest = rows[0]?.latest ?? 0n;
  const revocations = rows.flatMap(({ revision, sessionId, forgetAt }) =>
    revision === null || sessionId === null || forgetAt === null ? [] : [{ revision, sessionId, forgetAt }],
  );
  const cutShort = revocations.length === page.limit;
  return { revocations, coveredTo: cutShort ? (revocations.at(-1)?.revision ?? latest) : latest, latest };
}

/** Removes up to `limit` revocations that were to be forgotten before `before`. */
export async function purgeRevocations(db: Queryable, before: Date, limit: number): Promise<number> {
  const rows = await db.query({
    name: "revocations_purge",
    text: `DELETE FROM revocations WHERE revision IN (
             SELECT revision FROM revocations WHERE forget_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED
           ) RETURNING revision`,
    values: [before, limit],
  });
  return rows.length;
}
