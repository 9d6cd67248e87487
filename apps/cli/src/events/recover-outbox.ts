import type { EventLogOperator } from "@chirrup/platform";
import { connectorState, forgetOffsets, resumeConnector, stopConnector } from "@chirrup/servers";
import { withClient } from "../launcher/databases.ts";
import { replayOutbox } from "./replay-outbox.ts";

const readsWithinMs = 90_000;
const pollMs = 200;
/** How long a connector that does not read its slot may take to say why. */
const explainsWithinMs = 15_000;

export interface RecoverOptions {
  readonly slot: string;
  readonly connector: string;
  readonly connectUrl: string;
  /** The database by the role that streams: it may make and drop slots. */
  readonly readerUrl: string;
  /** The same by a role that may read the outbox. */
  readonly databaseUrl: string;
  readonly operator: Pick<EventLogOperator, "append">;
  readonly sinceMs: number;
  readonly onProgress: (what: string) => void;
}

/** Whether the outbox has no slot to be read by, or one of which Postgres has removed what was not read. */
export function slotIsLost(readerUrl: string, slot: string): Promise<boolean> {
  return withClient(readerUrl, async (client) => {
    const { rows } = await client.query<{ lost: boolean }>(
      "SELECT wal_status IS NOT DISTINCT FROM 'lost' AS lost FROM pg_replication_slots WHERE slot_name = $1",
      [slot],
    );
    return rows[0]?.lost !== false;
  });
}

/**
 * Whether an outbox is read no more, and will not be by itself: its slot is lost, or was made anew behind the position of a
 * connector, which therefore refuses it. Tells within seconds; at once while the slot is read.
 */
export async function needsRecovery(where: {
  readonly slot: string;
  readonly connector: string;
  readonly connectUrl: string;
  readonly readerUrl: string;
}): Promise<boolean> {
  const { slot, connector, connectUrl, readerUrl } = where;
  if (await slotIsLost(readerUrl, slot)) return true;
  for (const until = Date.now() + explainsWithinMs; Date.now() < until;) {
    if (await isRead(readerUrl, slot)) return false;
    if ((await connectorState(connectUrl, connector)).cutOff) return true;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  return false;
}

function isRead(readerUrl: string, slot: string): Promise<boolean> {
  return withClient(readerUrl, async (client) => {
    const { rowCount } = await client.query(
      "SELECT FROM pg_replication_slots WHERE slot_name = $1 AND active",
      [slot],
    );
    return rowCount === 1;
  });
}

function makeSlot(readerUrl: string, slot: string): Promise<void> {
  return withClient(readerUrl, async (client) => {
    await client.query(
      "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1",
      [slot],
    );
    await client.query("SELECT pg_create_logical_replication_slot($1, 'pgoutput', failover => true)", [slot]);
  });
}

async function untilRead(readerUrl: string, slot: string): Promise<void> {
  for (const until = Date.now() + readsWithinMs; !(await isRead(readerUrl, slot));) {
    if (Date.now() > until) throw new Error(`nobody reads ${slot} after ${readsWithinMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

/**
 * Lets Debezium read an outbox again whose slot is lost, and appends what the outbox keeps. The connector
 * forgets its position, which lies in WAL that is gone, and begins at the new slot's.
 *
 * Why in this order: a row that the replay does not see was written after the slot was made, so it is streamed; and nothing
 * is streamed before what was missed is in the log, so no author's later post comes before an earlier one. All of it may be
 * done again, and must be when it was interrupted.
 *
 * @returns How many rows were appended.
 */
export async function recoverOutbox(options: RecoverOptions): Promise<number> {
  const { slot, connector, connectUrl, readerUrl, databaseUrl, operator, sinceMs, onProgress } = options;
  await stopConnector(connectUrl, connector);
  await forgetOffsets(connectUrl, connector);
  onProgress(`${connector} is stopped and has forgotten its position`);
  await makeSlot(readerUrl, slot);
  onProgress(`${slot} is made anew`);
  const replayed = await replayOutbox({
    databaseUrl,
    operator,
    sinceMs,
    onProgress: (rows) => onProgress(`${rows} rows …`),
  });
  await resumeConnector(connectUrl, connector);
  await untilRead(readerUrl, slot);
  onProgress(`${connector} reads it`);
  return replayed;
}
