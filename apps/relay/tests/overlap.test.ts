import { waitFor } from "@chirrup/testkit";
import pg from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { connectReplication } from "../src/replication/connection.ts";
import type { Lsn } from "../src/replication/lsn.ts";
import { createPgoutputDecoder } from "../src/replication/pgoutput.ts";
import { type OwnPostgres, ownPostgres } from "./own-servers.ts";

let postgres: OwnPostgres;

beforeAll(async () => {
  postgres = await ownPostgres();
  await postgres.createSource("post");
});
afterAll(() => postgres.remove());

interface Transaction {
  readonly beginLsn: Lsn;
  readonly rows: string[];
  endLsn?: Lsn;
}

/** Streams until `count` transactions have come, confirms what `confirm` makes of them, and ends. */
async function stream(
  count: number,
  confirm: (transactions: readonly Transaction[]) => Lsn,
): Promise<Transaction[]> {
  const connection = await connectReplication(postgres.ownerUrl("post"), "test");
  const decoder = createPgoutputDecoder();
  const transactions: Transaction[] = [];
  const replication = connection.stream({
    slot: "overlap",
    publication: "chirrup_outbox",
    from: 0n,
    onMessage(message) {
      const decoded = message.kind === "data" ? decoder.decode(message.body) : undefined;
      if (decoded?.kind === "begin") transactions.push({ beginLsn: decoded.commitLsn, rows: [] });
      if (decoded?.kind === "insert") transactions.at(-1)?.rows.push(decoded.row.payload.toString());
      if (decoded?.kind === "commit") Object.assign(transactions.at(-1) ?? {}, { endLsn: decoded.endLsn });
    },
  });
  await replication.started;
  await waitFor(() => transactions.filter(({ endLsn }) => endLsn !== undefined).length === count);
  replication.confirm(confirm(transactions));
  await connection.close();
  // The slot is free when its walsender has ended.
  await waitFor(async () => {
    const [slot] = await postgres.query<{ active: boolean }>(
      "post",
      "SELECT active FROM pg_replication_slots WHERE slot_name = 'overlap'",
    );
    return slot !== undefined && !slot.active;
  });
  return transactions;
}

it("confirms a transaction without the one whose commit record begins where its own ends", async () => {
  await postgres.query("post", "SELECT pg_create_logical_replication_slot('overlap', 'pgoutput')");
  const clients = [1, 2].map(() => new pg.Client({ connectionString: postgres.ownerUrl("post") }));
  await Promise.all(clients.map((client) => client.connect()));
  for (const [id, client] of clients.entries()) {
    await client.query("BEGIN");
    const insert = "INSERT INTO outbox (id, topic, key, payload) VALUES ($1, 'posts', 'k', $2)";
    await client.query(insert, [id, Buffer.from(`row ${id}`)]);
  }
  for (const client of clients) {
    await client.query("COMMIT");
    await client.end();
  }
  const [first, second] = await stream(2, (transactions) => transactions[0]?.endLsn ?? 0n);
  expect(second?.beginLsn).toBe(first?.endLsn);
  const again = await stream(1, (transactions) => transactions[0]?.endLsn ?? 0n);
  expect(again.map(({ rows }) => rows)).toEqual([["row 1"]]);
});
