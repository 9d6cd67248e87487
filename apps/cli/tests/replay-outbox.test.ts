import {
  appendOutbox,
  createMetrics,
  migrate,
  openEventLog,
  openEventLogOperator,
  openPostgres,
  platformMigrations,
  topics,
} from "@chirrup/platform";
import { testLog, testPostgres, testRedis, waitFor } from "@chirrup/testkit";
import { describe, expect, it, onTestFinished } from "vitest";
import { replayOutbox } from "../src/events/replay-outbox.ts";

const log = testLog();
const hourMs = 3_600_000;

/** An outbox with events of three authors, of which nothing has reached the log: its slot is lost. */
async function outboxOf(count: number) {
  const databaseUrl = await (await testPostgres()).createDatabase();
  await migrate({ url: databaseUrl, folders: [platformMigrations], log });
  const postgres = openPostgres({ url: databaseUrl, applicationName: "test", log });
  onTestFinished(() => postgres.close());
  for (let i = 1; i <= count; i++) {
    const [eventId, key] = [BigInt(i), BigInt(i % 3)];
    const event = { case: "postCreated", value: { postId: eventId, authorId: key } } as const;
    await appendOutbox(postgres, { topic: topics.posts, key, event, eventId, traceparent: "" });
  }
  return { databaseUrl, postgres };
}

async function openLogs() {
  const { url } = await testRedis();
  const operator = await openEventLogOperator({ url, log });
  const eventLog = openEventLog({ url, log, metrics: createMetrics({ service: "test" }) });
  onTestFinished(async () => {
    await eventLog.close();
    await operator.close();
  });
  return { operator, eventLog };
}

describe("replayOutbox", () => {
  it("brings a consumer all that a lost slot left out, each key in its order", async () => {
    const { databaseUrl } = await outboxOf(1_234);
    const { operator, eventLog } = await openLogs();
    const received = new Map<string, number[]>();
    const subscription = await eventLog.subscribe({
      group: "readers",
      topics: ["posts"],
      handle({ key, event }) {
        received.set(key, [...(received.get(key) ?? []), Number(event.eventId)]);
        return Promise.resolve();
      },
    });
    const progress: number[] = [];
    const onProgress = (rows: number): void => void progress.push(rows);
    expect(await replayOutbox({ databaseUrl, operator, sinceMs: hourMs, onProgress })).toBe(1_234);
    expect(progress).toEqual([500, 1_000, 1_234]);
    await waitFor(async () => (await subscription.lag()) === 0);
    const expected = Array.from({ length: 1_234 }, (_, i) => i + 1);
    for (const key of [0, 1, 2])
      expect(received.get(String(key))).toEqual(expected.filter((id) => id % 3 === key));
  });

  it("leaves out what is older", async () => {
    const { databaseUrl, postgres } = await outboxOf(3);
    // Its time may lie in the six hours before these, which the migration makes no partition for.
    const startMs = Math.floor(Date.now() / (6 * hourMs)) * 6 * hourMs;
    const [from, to] = [startMs - 6 * hourMs, startMs].map((ms) => new Date(ms).toISOString());
    await postgres.query({
      name: "before",
      text: `create table before partition of outbox for values from ('${from}') to ('${to}')`,
    });
    await postgres.query({
      name: "age",
      text: "update outbox set created_at = created_at - interval '90 seconds' where id = 1",
    });
    const { operator } = await openLogs();
    const onProgress = (): void => undefined;
    expect(await replayOutbox({ databaseUrl, operator, sinceMs: 60_000, onProgress })).toBe(2);
    expect(await replayOutbox({ databaseUrl, operator, sinceMs: 2 * 60_000, onProgress })).toBe(3);
  });
});
