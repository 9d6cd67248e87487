import { readFileSync } from "node:fs";
import { createMetrics, openPostgres, watchOutboxSlot } from "@chirrup/platform";
import { testLog, testPostgres } from "@chirrup/testkit";
import { expect, it, onTestFinished } from "vitest";

it("tells how far the reader of the outbox is behind, by the names that the alerts ask for", async () => {
  const { createDatabase, superuserUrl } = await testPostgres();
  const url = new URL(await createDatabase());
  // No service may make a slot.
  const superuser = new URL(superuserUrl);
  [url.username, url.password] = [superuser.username, superuser.password];
  const postgres = openPostgres({ url: url.href, applicationName: "test", log: testLog() });
  onTestFinished(() => postgres.close());
  const metrics = createMetrics({ service: "test" });
  watchOutboxSlot({ postgres, metrics });
  expect(await metrics.registry.metrics()).not.toMatch(/^chirrup_outbox_slot_\w+\{/m);

  const slot = `watched_${process.pid}`;
  await postgres.query({
    name: "make",
    text: `select pg_create_logical_replication_slot('${slot}', 'pgoutput')`,
  });
  onTestFinished(async () => {
    await postgres.query({ name: "drop", text: `select pg_drop_replication_slot('${slot}')` });
  });
  await postgres.query({
    name: "write",
    text: "select pg_logical_emit_message(true, 'test', repeat('x', 1000000))",
  });
  const text = await metrics.registry.metrics();
  const valueOf = (name: string): number =>
    Number(
      new RegExp(`^chirrup_outbox_slot_${name}\\{slot="${slot}",service="test"\\} (\\S+)$`, "m").exec(
        text,
      )?.[1],
    );
  expect(valueOf("lag_bytes")).toBeGreaterThanOrEqual(1_000_000);
  expect(valueOf("left_bytes")).toBeGreaterThan(0);
  expect(valueOf("active")).toBe(0);
  expect(valueOf("lost")).toBe(0);

  const rules = readFileSync(new URL("../../../infra/prometheus/outbox.rules.yaml", import.meta.url), "utf8");
  const alertedOn = new Set(rules.match(/\bchirrup_\w+/g));
  expect(alertedOn.size).toBe(4);
  for (const name of alertedOn) expect(text).toContain(`\n${name}{`);
});
