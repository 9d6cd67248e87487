import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import {
  createMetrics,
  type EventLog,
  type EventLogOperator,
  openEventLog,
  openEventLogOperator,
  type ReceivedEvent,
  UnprocessableEvent,
} from "@chirrup/platform";
import { testLog, waitFor } from "@chirrup/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type AppendedRecord, type Carrier, firstFault, numbered, numberedRecords } from "./carrier.ts";

const consumerProcess = fileURLToPath(new URL("consumer-process.ts", import.meta.url));

interface Handled {
  readonly key: string;
  readonly number: number;
}

const handledOf = ({ key, event }: ReceivedEvent): Handled => ({ key, number: Number(event.eventId) });
const distinct = (handled: readonly Handled[]): number =>
  new Set(handled.map(({ key, number }) => `${key} ${number}`)).size;

/** What every carrier of the event log promises. */
export function eventLogContract(name: string, makeCarrier: () => Promise<Carrier>): void {
  describe(`event log: ${name}`, { timeout: 60_000 }, () => {
    let carrier: Carrier;
    let logs: EventLog[];
    const openLog = (): EventLog => {
      const log = carrier.openLog();
      logs.push(log);
      return log;
    };

    beforeEach(async () => {
      carrier = await makeCarrier();
      logs = [];
    });
    afterEach(async () => {
      await Promise.all(logs.map((log) => log.close()));
      await carrier.close();
    });

    it("starts at the earliest record and keeps the order of each key", async () => {
      const handled: Handled[] = [];
      await carrier.append(numberedRecords(1_000, 40));
      await openLog().subscribe({
        group: "readers",
        topics: ["posts"],
        async handle(event) {
          await pause(Math.random() * 3);
          handled.push(handledOf(event));
        },
      });
      await carrier.append(numberedRecords(2_000, 40).slice(1_000));
      await waitFor(() => handled.length >= 2_000, { timeoutMs: 30_000 });
      expect(handled).toHaveLength(2_000);
      expect(firstFault(handled)).toBeUndefined();
    });

    it("runs at most `concurrency` handlers, and one of a key", async () => {
      let running = 0;
      let most = 0;
      const keys = new Set<string>();
      let overlaps = 0;
      let count = 0;
      await carrier.append(numberedRecords(200, 20));
      await openLog().subscribe({
        group: "readers",
        topics: ["posts"],
        concurrency: 4,
        async handle({ key }) {
          most = Math.max(most, ++running);
          if (keys.has(key)) overlaps++;
          keys.add(key);
          await pause(2);
          keys.delete(key);
          running--;
          count++;
        },
      });
      await waitFor(() => count === 200);
      expect({ most, overlaps }).toEqual({ most: 4, overlaps: 0 });
    });

    it("hands one key with far more events than are held in memory on in order", async () => {
      const handled: Handled[] = [];
      await carrier.append(numberedRecords(6_000, 1));
      await openLog().subscribe({
        group: "readers",
        topics: ["posts"],
        handle(event) {
          handled.push(handledOf(event));
          return Promise.resolve();
        },
      });
      await waitFor(() => handled.length >= 6_000, { timeoutMs: 30_000 });
      expect(firstFault(handled)).toBeUndefined();
    });

    it("reads no further than it can hold while its handlers wait", async () => {
      const gate = Promise.withResolvers<void>();
      let count = 0;
      const metrics = createMetrics({ service: "test" });
      const log = openEventLog({ url: carrier.url, log: testLog(), metrics });
      logs.push(log);
      const waiting = async (): Promise<number> =>
        Number(/^chirrup_events_waiting\{.*\} (\d+)$/m.exec(await metrics.registry.metrics())?.[1] ?? 0);
      await carrier.append(numberedRecords(6_000, 1));
      const subscription = await log.subscribe({
        group: "readers",
        topics: ["posts"],
        async handle() {
          await gate.promise;
          count++;
        },
      });
      await waitFor(async () => (await waiting()) >= 1_024);
      for (let i = 0; i < 3; i++) await carrier.append(numberedRecords(6_000, 1));
      expect(await subscription.lag()).toBe(24_000);
      expect(await waiting()).toBeLessThan(4_000);
      gate.resolve();
      await waitFor(() => count === 24_000, { timeoutMs: 30_000 });
      await waitFor(async () => (await waiting()) === 0);
    });

    it("gives every group all events", async () => {
      const counts = { first: 0, second: 0 };
      const log = openLog();
      for (const group of ["first", "second"] as const) {
        await log.subscribe({
          group,
          topics: ["posts", "users"],
          handle() {
            counts[group]++;
            return Promise.resolve();
          },
        });
      }
      await carrier.append([...numberedRecords(50, 5), ...numberedRecords(50, 5, "users")]);
      await waitFor(() => counts.first === 100 && counts.second === 100);
      expect(counts).toEqual({ first: 100, second: 100 });
    });

    it("lets a group subscribe to each topic by itself", async () => {
      const counts: Record<string, number> = { posts: 0, users: 0, follows: 0 };
      const log = openLog();
      for (const topic of Object.keys(counts)) {
        await log.subscribe({
          group: "readers",
          topics: [topic],
          handle(event) {
            counts[event.topic] = (counts[event.topic] ?? 0) + 1;
            return Promise.resolve();
          },
        });
      }
      await carrier.append(Object.keys(counts).flatMap((topic) => numberedRecords(40, 40, topic)));
      await waitFor(() => Object.values(counts).every((count) => count >= 40));
      expect(counts).toEqual({ posts: 40, users: 40, follows: 40 });
    });

    it("goes on where the group was, and repeats nothing that was committed", async () => {
      const handled: Handled[] = [];
      const options = {
        group: "readers",
        topics: ["posts"],
        handle(event: ReceivedEvent) {
          handled.push(handledOf(event));
          return Promise.resolve();
        },
      };
      await carrier.append(numberedRecords(100, 10));
      const first = openLog();
      await first.subscribe(options);
      await waitFor(() => handled.length === 100);
      await first.close();
      await carrier.append(numberedRecords(200, 10).slice(100));
      const again = Date.now();
      await openLog().subscribe(options);
      await waitFor(() => handled.length >= 200);
      expect(Date.now() - again).toBeLessThan(carrier.handsOverWithinMs);
      expect(handled).toHaveLength(200);
      expect(firstFault(handled)).toBeUndefined();
    });

    it("tries what fails by its own fault so often, then keeps it with its cause and goes on", async () => {
      const attempts: number[] = [];
      const handled: number[] = [];
      const subscription = await openLog().subscribe({
        group: "readers",
        topics: ["posts"],
        mostAttempts: 3,
        handle(event) {
          const { number } = handledOf(event);
          if (number === 2) {
            attempts.push(number);
            return Promise.reject(new TypeError("undefined is not a function"));
          }
          handled.push(number);
          return Promise.resolve();
        },
      });
      await carrier.append(numberedRecords(3, 1));
      await waitFor(async () => (await subscription.lag()) === 0);
      expect({ attempts: attempts.length, handled }).toEqual({ attempts: 3, handled: [1, 3] });
      const [dead] = await carrier.deadLetters("readers");
      expect(dead?.cause).toBe("failed 3 times: undefined is not a function");
    });

    it("retries a key for ever that fails by an outage, without holding up the others", async () => {
      const handled: Handled[] = [];
      let broken = true;
      let attempts = 0;
      await openLog().subscribe({
        group: "readers",
        topics: ["posts"],
        concurrency: 2,
        mostAttempts: 2,
        handle(event) {
          if (event.key === "k3" && broken) {
            attempts++;
            return Promise.reject(new Error("a dependency is away"));
          }
          handled.push(handledOf(event));
          return Promise.resolve();
        },
      });
      await carrier.append(numberedRecords(400, 20));
      await waitFor(() => handled.length === 380 && attempts >= 3);
      broken = false;
      await waitFor(() => handled.length === 400);
      expect(firstFault(handled)).toBeUndefined();
    });

    it("commits nothing beyond an event that is not handled", async () => {
      const options = { group: "readers", topics: ["posts"] };
      const handled: Handled[] = [];
      await carrier.append(numberedRecords(100, 1));
      const first = openLog();
      await first.subscribe({
        ...options,
        handle: (event) => {
          const seen = handledOf(event);
          if (seen.number === 50) return Promise.reject(new Error("a dependency is away"));
          handled.push(seen);
          return Promise.resolve();
        },
      });
      // Of the same partition, as there is one for each key; handled behind the gap.
      const sibling = siblingOf("k0", carrier);
      await carrier.append([numbered(sibling, 1), numbered(sibling, 2)]);
      await waitFor(() => handled.some(({ key, number }) => key === sibling && number === 2));
      await first.close();

      const again: Handled[] = [];
      const second = openLog();
      const subscription = await second.subscribe({
        ...options,
        handle: (event) => {
          again.push(handledOf(event));
          return Promise.resolve();
        },
      });
      await waitFor(async () => (await subscription.lag()) === 0);
      expect(again.filter(({ key }) => key === "k0").map(({ number }) => number)).toEqual(
        Array.from({ length: 51 }, (_, i) => i + 50),
      );
    });

    it("moves what cannot be applied, or read, to the dead letters and goes on", async () => {
      const handled: Handled[] = [];
      const junk: AppendedRecord = { topic: "posts", key: "k0", payload: Buffer.from("\xffjunk", "latin1") };
      const subscription = await openLog().subscribe({
        group: "readers",
        topics: ["posts"],
        handle(event) {
          const seen = handledOf(event);
          if (seen.number === 2) return Promise.reject(new UnprocessableEvent("no such author"));
          handled.push(seen);
          return Promise.resolve();
        },
      });
      const [first, second, third] = [1, 2, 3].map((number) => numbered("k0", number)) as [
        AppendedRecord,
        AppendedRecord,
        AppendedRecord,
      ];
      await carrier.append([first, second, junk, third]);
      await waitFor(async () => (await subscription.lag()) === 0);
      expect(handled.map(({ number }) => number)).toEqual([1, 3]);
      const dead = await carrier.deadLetters("readers");
      expect(dead.map(({ topic, key, cause }) => [topic, key, cause.replace(/:.*/, "")])).toEqual([
        ["posts", "k0", "no such author"],
        ["posts", "k0", "not an event"],
      ]);
      expect(dead.map(({ payload }) => Buffer.from(payload).toString("hex"))).toEqual(
        [second, junk].map(({ payload }) => Buffer.from(payload).toString("hex")),
      );
    });

    async function withOperator(work: (operator: EventLogOperator) => Promise<void>): Promise<void> {
      const operator = await openEventLogOperator({ url: carrier.url, log: testLog() });
      try {
        await work(operator);
      } finally {
        await operator.close();
      }
    }

    it("lets an operator list dead letters and replay them once their cause is gone", async () => {
      const handled: Handled[] = [];
      let broken = true;
      const subscription = await openLog().subscribe({
        group: "readers",
        topics: ["posts"],
        handle(event) {
          const seen = handledOf(event);
          if (broken && seen.number <= 3) return Promise.reject(new UnprocessableEvent("no such author"));
          handled.push(seen);
          return Promise.resolve();
        },
      });
      await carrier.append(numberedRecords(5, 1));
      await waitFor(async () => (await subscription.lag()) === 0);
      await withOperator(async (operator) => {
        expect(await operator.groupsWithDeadLetters()).toEqual(["readers"]);
        expect(await operator.deadLetters("readers", 2)).toHaveLength(2);
        expect(await operator.deadLetters("readers", 100)).toMatchObject(
          Array.from({ length: 3 }, () => ({
            group: "readers",
            topic: "posts",
            partition: carrier.partitionOf("k0"),
            key: "k0",
            cause: "no such author",
          })),
        );
        // What still cannot be applied comes back behind the others.
        expect(await operator.replayDeadLetters("readers", 1)).toBe(1);
        await waitFor(async () => (await subscription.lag()) === 0);
        expect(await operator.deadLetters("readers", 100)).toHaveLength(3);
        broken = false;
        expect(await operator.replayDeadLetters("readers", 100)).toBe(3);
        expect(await operator.deadLetters("readers", 100)).toEqual([]);
        expect(await operator.groupsWithDeadLetters()).toEqual([]);
        expect(await operator.deadLetters("nobody", 100)).toEqual([]);
      });
      await waitFor(async () => (await subscription.lag()) === 0);
      expect(handled.map(({ number }) => number)).toEqual([4, 5, 2, 3, 1]);
    });

    it("tells an operator the lag of each partition, and takes records from him", () =>
      withOperator(async (operator) => {
        const gate = Promise.withResolvers<void>();
        const subscription = await openLog().subscribe({
          group: "readers",
          topics: ["posts", "users"],
          handle: () => gate.promise,
        });
        const records = numberedRecords(1_200, 40);
        await operator.append(records);
        const expected = Array.from({ length: 8 }, (_, partition) => ({
          group: "readers",
          topic: "posts",
          partition,
          lag: records.filter(({ key }) => carrier.partitionOf(key) === partition).length,
        }));
        const lag = await operator.lag();
        expect(lag.filter(({ topic }) => topic === "posts")).toEqual(expected);
        expect(lag.filter(({ topic }) => topic === "users").map((row) => row.lag)).toEqual(
          Array.from({ length: 8 }, () => 0),
        );
        gate.resolve();
        await waitFor(async () => (await subscription.lag()) === 0);
        expect((await operator.lag()).every((row) => row.lag === 0)).toBe(true);
      }));

    it("tells exactly how far a group is behind", async () => {
      const gate = Promise.withResolvers<void>();
      await carrier.append(numberedRecords(100, 10));
      const subscription = await openLog().subscribe({
        group: "readers",
        topics: ["posts"],
        handle: () => gate.promise,
      });
      expect(await subscription.lag()).toBe(100);
      await carrier.append(numberedRecords(50, 10));
      expect(await subscription.lag()).toBe(150);
      gate.resolve();
      await waitFor(async () => (await subscription.lag()) === 0);
    });

    it("shares the partitions among members that come and go, without a loss and in order", async () => {
      const records = numberedRecords(6_000, 60);
      const handled: (Handled & { member: string })[] = [];
      const join = async (member: string): Promise<EventLog> => {
        const log = openLog();
        await log.subscribe({
          group: "readers",
          topics: ["posts"],
          async handle(event) {
            await pause(1);
            handled.push({ ...handledOf(event), member });
          },
        });
        return log;
      };
      const shares = (): string[] => [...new Set(handled.slice(-200).map(({ member }) => member))].toSorted();
      const appending = (async () => {
        for (let at = 0; at < records.length; at += 20) {
          await carrier.append(records.slice(at, at + 20));
          await pause(20);
        }
      })();
      const first = await join("a");
      await waitFor(() => handled.length > 200);
      await join("b");
      await waitFor(() => shares().join("") === "ab");
      await join("c");
      await waitFor(() => shares().join("") === "abc");
      await first.close();
      await waitFor(() => shares().join("") === "bc");
      await appending;
      await waitFor(() => distinct(handled) === records.length, { timeoutMs: 20_000 });
      expect(firstFault(handled)).toBeUndefined();
      // Members that leave in peace repeat nothing.
      expect(handled).toHaveLength(records.length);
    });

    it("loses nothing and keeps the order when consumers are killed", async () => {
      const folder = mkdtempSync(join(tmpdir(), "chirrup-consumer-"));
      const file = join(folder, "handled");
      const records = numberedRecords(6_000, 50);
      const children: ChildProcess[] = [];
      const startConsumer = (): ChildProcess => {
        const args = ["-C", "source", consumerProcess, carrier.module.href, carrier.url, "readers", file];
        const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
        children.push(child);
        return child;
      };
      const handled = (): Handled[] =>
        (existsSync(file) ? readFileSync(file, "utf8") : "")
          .split("\n")
          .slice(0, -1)
          .map((line) => line.split(" "))
          .map(([key = "", number]) => ({ key, number: Number(number) }));
      try {
        await carrier.append(records);
        const victims = [startConsumer(), startConsumer()];
        for (const [i, victim] of victims.entries()) {
          const before = handled().length;
          await waitFor(() => handled().length > before + 500, { timeoutMs: 30_000 });
          victim.kill("SIGKILL");
          if (i === 0) startConsumer();
        }
        await waitFor(() => distinct(handled()) === records.length, { timeoutMs: 30_000, intervalMs: 200 });
        expect(firstFault(handled())).toBeUndefined();
      } finally {
        for (const child of children) child.kill("SIGKILL");
        rmSync(folder, { recursive: true, force: true });
      }
    });
  });
}

/** Another key of the same partition. */
function siblingOf(key: string, carrier: Carrier): string {
  for (let i = 0; ; i++) if (carrier.partitionOf(`s${i}`) === carrier.partitionOf(key)) return `s${i}`;
}
