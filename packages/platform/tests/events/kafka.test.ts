import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type EventLog, openEventLogOperator } from "@chirrup/platform";
import { freePort } from "@chirrup/servers";
import { createAuthority, testLog, waitFor } from "@chirrup/testkit";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type Carrier, firstFault, numbered, numberedRecords } from "./carrier.ts";
import { eventLogContract } from "./event-log-contract.ts";
import { expelAll, kafkaCarrier } from "./kafka-carrier.ts";
import { findKafka, type KafkaServer, startKafka } from "./kafka-server.ts";
import { openLog } from "./log-module.ts";

const found = await findKafka();
if (typeof found === "string") console.warn(`The event log on Kafka is not tested: ${found}`);

describe("Kafka that is away", () => {
  it("is waited for, until the log is closed", async () => {
    const log = openLog(`kafka://127.0.0.1:${await freePort()}`);
    const subscribed = log.subscribe({
      group: "readers",
      topics: ["posts"],
      handle: () => Promise.resolve(),
    });
    const [refused] = await Promise.all([subscribed.catch((error: unknown) => error), log.close()]);
    expect(refused).toMatchObject({ message: "the event log is closed" });
  });
});

describe.skipIf(typeof found === "string")("Kafka", { timeout: 90_000 }, () => {
  let folder: string;
  let server: KafkaServer;
  beforeAll(async () => {
    if (typeof found === "string") return;
    folder = mkdtempSync(join(tmpdir(), "chirrup-kafka-"));
    server = await startKafka(found, folder);
  }, 120_000);
  afterAll(async () => {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  eventLogContract("Kafka", () => kafkaCarrier(server.url));

  async function withLog(work: (carrier: Carrier, log: EventLog) => Promise<void>): Promise<void> {
    const carrier = await kafkaCarrier(server.url);
    const log = carrier.openLog();
    try {
      await work(carrier, log);
    } finally {
      await log.close();
      await carrier.close();
    }
  }

  it("hands an event over within milliseconds of its append", () =>
    withLog(async (carrier, log) => {
      const delaysMs: number[] = [];
      let appendedAt = 0;
      await log.subscribe({
        group: "readers",
        topics: ["posts", "users", "follows"],
        handle() {
          delaysMs.push(performance.now() - appendedAt);
          return Promise.resolve();
        },
      });
      for (let i = 1; i <= 50; i++) {
        appendedAt = performance.now();
        await carrier.append([numbered(`k${i}`, 1)]);
        await waitFor(() => delaysMs.length === i, { intervalMs: 1 });
      }
      expect(delaysMs.toSorted((a, b) => a - b)[25]).toBeLessThan(100);
    }));

  it("aborts the handlers when the group takes it for dead, and begins again where the group is", () =>
    withLog(async (carrier, log) => {
      const gate = Promise.withResolvers<void>();
      const signals: AbortSignal[] = [];
      const subscription = await log.subscribe({
        group: "readers",
        topics: ["posts"],
        async handle(_, signal) {
          signals.push(signal);
          await gate.promise;
        },
      });
      await carrier.append([numbered("k0", 1)]);
      await waitFor(() => signals.length === 1);
      await expelAll(server.url, "readers");
      await waitFor(() => signals[0]?.aborted);
      await waitFor(() => signals.length === 2);
      expect(await subscription.lag()).toBe(1);
      gate.resolve();
      await waitFor(async () => (await subscription.lag()) === 0);
      expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    }));

  it("signs in by SCRAM over TLS, and nowhere else", () =>
    withLog(async (carrier) => {
      const { broker, password, caFile } = server.secure;
      const url = (given: string, ca: string): string =>
        `kafkas://chirrup:${encodeURIComponent(given)}@${broker}?ca=${encodeURIComponent(ca)}`;
      const log = openLog(url(password, caFile));
      onTestFinished(() => log.close());
      const handled: number[] = [];
      const subscription = await log.subscribe({
        group: "readers",
        topics: ["posts"],
        handle({ event }) {
          handled.push(Number(event.eventId));
          return Promise.resolve();
        },
      });
      await carrier.append([numbered("k0", 1), numbered("k0", 2)]);
      await waitFor(async () => (await subscription.lag()) === 0 && handled.length === 2);
      const operator = await openEventLogOperator({ url: url(password, caFile), log: testLog() });
      await operator.append([numbered("k0", 3)]);
      await waitFor(() => handled.length === 3);
      expect((await operator.lag()).map(({ group }) => group)).toContain("readers");
      await operator.close();

      const other = join(folder, "another authority");
      createAuthority(other);
      const refused = [
        url("another", caFile),
        url(password, join(other, "ca.crt")),
        `kafkas://${broker}?ca=${encodeURIComponent(caFile)}`,
      ];
      await Promise.all(
        refused.map((each) =>
          expect(openEventLogOperator({ url: each, log: testLog() })).rejects.toThrow(/does not answer/),
        ),
      );
    }));

  it("goes on behind a death of the broker, without a loss and in order", () =>
    withLog(async (carrier, log) => {
      const handled: { key: string; number: number }[] = [];
      const subscription = await log.subscribe({
        group: "readers",
        topics: ["posts"],
        handle({ key, event }) {
          handled.push({ key, number: Number(event.eventId) });
          return Promise.resolve();
        },
      });
      const records = numberedRecords(2_000, 40);
      await carrier.append(records.slice(0, 1_000));
      await waitFor(() => handled.length > 500);
      await server.kill();
      await server.start();
      await waitFor(() => carrier.append(records.slice(1_000)).then(() => true), { timeoutMs: 30_000 });
      await waitFor(() => new Set(handled.map(({ key, number }) => `${key} ${number}`)).size === 2_000, {
        timeoutMs: 30_000,
      });
      expect(firstFault(handled)).toBeUndefined();
      await waitFor(async () => (await subscription.lag()) === 0, { timeoutMs: 20_000 });
    }));
});
