import fc from "fast-check";
import { expect, it } from "vitest";
import { createBatcher } from "./batcher.ts";
import type { OutboxRow } from "./pgoutput.ts";
import { formatPosition, parsePosition, type Position } from "./position.ts";

const row = (text: string): OutboxRow => ({ topic: "posts", key: text, payload: Buffer.from(text) });

it("gives every row once, whatever the sizes of transactions and batches and wherever it is cut off", () => {
  // Transactions by their number of rows; each session takes some batches of some size and is then lost.
  const transactions = fc.array(fc.nat(5), { maxLength: 12 });
  const sessions = fc.array(fc.record({ batches: fc.nat(6), maxRows: fc.integer({ min: 1, max: 4 }) }), {
    maxLength: 12,
  });
  fc.assert(
    fc.property(transactions, sessions, (sizes, cuts) => {
      const names = sizes.map((size, i) => Array.from({ length: size }, (_, j) => `${i}.${j}`));
      const taken: string[] = [];
      let position: Position = { lsn: 0n, row: 0 };
      let confirmed = 0n;
      let left = { idle: true, bytes: 0 };
      for (const { batches, maxRows } of [...cuts, { batches: Infinity, maxRows: 3 }]) {
        const batcher = createBatcher(position);
        names.forEach((rows, i) => {
          // Commit records that touch: one begins where the other ends.
          const [commitLsn, endLsn] = [BigInt(i + 1) * 8n, BigInt(i + 2) * 8n];
          if (commitLsn < confirmed) return;
          batcher.add({ kind: "begin", commitLsn });
          for (const name of rows) batcher.add({ kind: "insert", row: row(name) });
          batcher.add({ kind: "commit", endLsn });
        });
        for (let i = 0; i < batches; i++) {
          const batch = batcher.take(maxRows);
          if (batch === undefined) break;
          taken.push(...batch.rows.map(({ key }) => key));
          position = parsePosition(formatPosition(batch.position));
          confirmed = batch.confirmable ?? confirmed;
          expect(confirmed).toBeLessThanOrEqual(position.lsn);
        }
        left = { idle: batcher.idle, bytes: batcher.bytes };
      }
      expect(taken).toEqual(names.flat());
      expect(left).toEqual({ idle: true, bytes: 0 });
    }),
  );
});
