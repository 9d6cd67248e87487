import type { Logger } from "@chirrup/platform";
import type { ReplicationConnection } from "./replication/connection.ts";
import { parseLsn } from "./replication/lsn.ts";
import type { OutboxRow } from "./replication/pgoutput.ts";
import type { Position } from "./replication/position.ts";
import type { SourceStore } from "./store/source-store.ts";

export const publication = "chirrup_outbox";

/** The name of a source's slot. Slots are of the whole server, so the source is part of it. */
export const slotName = (source: string): string => `chirrup_${source}`;

/** Rows of a replay that are appended at a time. */
const replayRows = 500;

export interface SlotOptions {
  readonly connection: ReplicationConnection;
  readonly source: string;
  readonly store: SourceStore;
  readonly log: Logger;
}

interface SlotRow {
  readonly database: string;
  readonly plugin: string;
  readonly lost: boolean;
  readonly confirmed: string;
}

/**
 * Makes sure that a slot exists whose stream, from the position returned, continues what is in Redis
 * without a gap.
 *
 * The slot is never confirmed beyond the position that Redis holds. So a slot that is ahead of it means
 * that Redis has lost events, and an unknown position or another server means that nothing can be said. Then,
 * and when there is no usable slot, a new one is made and every row that the outbox keeps is appended in
 * front of its stream: some events come twice, which their consumers bear, and none is missing.
 */
export async function prepareSlot({ connection, source, store, log }: SlotOptions): Promise<Position> {
  const [identity] = await connection.query<{ systemid: string; dbname: string }>("IDENTIFY_SYSTEM");
  if (identity === undefined) throw new Error("Postgres did not identify itself");
  const [published] = await connection.query(`SELECT FROM pg_publication WHERE pubname = '${publication}'`);
  // Postgres 18 skips a publication that does not exist: the rows would be lost without a word.
  if (published === undefined) throw new Error(`there is no publication ${publication} yet`);

  const system = identity.systemid;
  const slot = await findSlot(connection, source, identity.dbname);
  const state = await store.load();
  const reason = ((): string | undefined => {
    if (slot === undefined) return "there was no slot";
    if (slot.lost) return "the slot was lost: Postgres removed WAL that the relay had not read";
    if (state === undefined) return "the event Redis does not know the source";
    if (state.system !== system) return "the event Redis knows another Postgres server";
    if (state.position.lsn < parseLsn(slot.confirmed)) return "the event Redis has lost events";
    return undefined;
  })();
  if (reason === undefined && state !== undefined) return state.position;

  if (!(await mayReadOutbox(connection))) {
    const hint = "GRANT SELECT ON outbox TO the relay's role";
    log.error(
      { source, reason, hint },
      "outbox rows of the past cannot be replayed; consumers may miss events",
    );
    if (slot === undefined || slot.lost) return withoutReplay(await makeSlot(slot !== undefined));
    return withoutReplay(slot.confirmed);
  }
  return replay();

  async function makeSlot(dropFirst: boolean, snapshot = "nothing"): Promise<string> {
    if (dropFirst) await connection.query(`DROP_REPLICATION_SLOT ${slotName(source)}`);
    if (snapshot === "use") await connection.query("BEGIN READ ONLY ISOLATION LEVEL REPEATABLE READ");
    log.info(
      { source, slot: slotName(source) },
      "creating the slot; waits for the transactions that run now",
    );
    const [made] = await connection.query<{ consistent_point: string }>(
      `CREATE_REPLICATION_SLOT ${slotName(source)} LOGICAL pgoutput (SNAPSHOT '${snapshot}')`,
    );
    if (made === undefined) throw new Error("Postgres made no slot");
    return made.consistent_point;
  }

  async function withoutReplay(lsn: string): Promise<Position> {
    const position = { lsn: parseLsn(lsn), row: 0 };
    await store.set({ system, position });
    return position;
  }

  async function replay(): Promise<Position> {
    log.warn({ source, reason }, "replaying the outbox");
    const appended = await store.beginReplay();
    const position = { lsn: parseLsn(await makeSlot(slot !== undefined, "use")), row: 0 };
    // This transaction sees exactly what was committed before the slot's stream begins.
    await connection.query(
      "DECLARE past NO SCROLL CURSOR FOR SELECT topic, key, payload FROM outbox ORDER BY created_at, id",
    );
    let count = 0;
    for (;;) {
      const rows = await connection.query<OutboxRow>(`FETCH ${replayRows} FROM past`);
      if (rows.length === 0) break;
      await appended.append(rows);
      count += rows.length;
    }
    await connection.query("COMMIT");
    await appended.end({ system, position });
    log.info({ source, rows: count }, "replayed the outbox");
    return position;
  }
}

async function findSlot(
  connection: ReplicationConnection,
  source: string,
  database: string,
): Promise<SlotRow | undefined> {
  const [slot] = await connection.query<SlotRow>(
    `SELECT database, plugin, wal_status IS NOT DISTINCT FROM 'lost' AS lost, coalesce(confirmed_flush_lsn, '0/0')::text AS confirmed
     FROM pg_replication_slots WHERE slot_name = '${slotName(source)}'`,
  );
  if (slot !== undefined && (slot.database !== database || slot.plugin !== "pgoutput"))
    throw new Error(
      `the slot ${slotName(source)} belongs to ${slot.database} (${slot.plugin}), not to this relay`,
    );
  return slot;
}

async function mayReadOutbox(connection: ReplicationConnection): Promise<boolean> {
  const [row] = await connection.query<{ allowed: boolean }>(
    "SELECT has_table_privilege('outbox', 'SELECT') AS allowed",
  );
  return row?.allowed === true;
}
