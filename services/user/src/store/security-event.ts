import type { Queryable } from "@chirrup/platform";
import type { SecurityEvent } from "../domain/security-event.ts";
import { isRefusal } from "../domain/security-event.ts";

export async function insertSecurityEvent(db: Queryable, event: SecurityEvent): Promise<void> {
  await db.query({
    name: "security_event_insert",
    text: `INSERT INTO security_events (at, kind, refused, user_id, session_id, address, user_agent)
           VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    values: [
      event.at,
      event.kind,
      isRefusal(event.kind),
      event.userId ?? null,
      event.sessionId ?? null,
      event.address,
      event.userAgent,
    ],
  });
}

/** Removes what the events tell about the person: what happened and when stays. */
export async function scrubSecurityEvents(tx: Queryable, userId: bigint): Promise<void> {
  await tx.query({
    name: "security_events_scrub",
    text: "UPDATE security_events SET address = '', user_agent = '' WHERE user_id = $1",
    values: [userId],
  });
}

/** Removes up to `limit` events from before `before`. */
export async function purgeSecurityEvents(db: Queryable, before: Date, limit: number): Promise<number> {
  const rows = await db.query({
    name: "security_events_purge",
    text: `DELETE FROM security_events WHERE id IN (
             SELECT id FROM security_events WHERE at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED
           ) RETURNING id`,
    values: [before, limit],
  });
  return rows.length;
}

/** Removes up to `limit` refusals beyond the newest `kept`. */
export async function purgeRefusals(db: Queryable, kept: number, limit: number): Promise<number> {
  const rows = await db.query({
    name: "security_events_purge_refusals",
    text: `DELETE FROM security_events WHERE id IN (
             SELECT id FROM security_events WHERE refused ORDER BY id DESC OFFSET $1 LIMIT $2 FOR UPDATE SKIP LOCKED
           ) RETURNING id`,
    values: [kept, limit],
  });
  return rows.length;
}
