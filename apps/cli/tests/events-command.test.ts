import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import {
  appendOutbox,
  createMetrics,
  migrate,
  openEventLog,
  openPostgres,
  platformMigrations,
  UnprocessableEvent,
} from "@chirrup/platform";
import { testLog, testPostgres, testRedis, waitFor } from "@chirrup/testkit";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { openHome } from "../src/launcher/paths.ts";
import { markOf, writeState } from "../src/launcher/state.ts";

const run = promisify(execFile);
const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const log = testLog();

let homeDir: string;
let eventLogUrl: string;
let databaseUrl: string;

/** What another shell sees of a running platform: a state file whose launcher is this process. */
beforeEach(async () => {
  homeDir = mkdtempSync(join(tmpdir(), "chirrup-home-"));
  eventLogUrl = (await testRedis()).url;
  databaseUrl = await (await testPostgres()).createDatabase();
  await migrate({ url: databaseUrl, folders: [platformMigrations], log });
  const launcher = markOf(process.pid);
  if (launcher === undefined) throw new Error("this process has no mark");
  const databases = { user: databaseUrl, follow: databaseUrl, post: databaseUrl };
  writeState(openHome(homeDir), {
    launcher,
    profile: "embedded",
    gatewayUrl: "",
    ready: true,
    access: { databases, redisUrl: "", eventLogUrl, feedAddress: "", peerSecret: "" },
    parts: [],
  });
  return () => rmSync(homeDir, { recursive: true });
});

async function events(...args: string[]): Promise<unknown> {
  const env = { ...process.env, CHIRRUP_HOME: homeDir };
  const { stdout } = await run(process.execPath, ["-C", "source", main, "events", ...args, "--json"], {
    env,
  });
  return JSON.parse(stdout) as unknown;
}

describe("chirrup events", { timeout: 60_000 }, () => {
  it("brings events that a slot lost, tells what became of them, and replays dead letters", async () => {
    const postgres = openPostgres({ url: databaseUrl, applicationName: "test", log });
    onTestFinished(() => postgres.close());
    for (const eventId of [1n, 2n, 3n]) {
      const event = { case: "postCreated", value: { postId: eventId, authorId: 7n } } as const;
      await appendOutbox(postgres, { topic: "posts", key: 7n, event, eventId, traceparent: "" });
    }
    const handled: bigint[] = [];
    let broken = true;
    const eventLog = openEventLog({ url: eventLogUrl, log, metrics: createMetrics({ service: "test" }) });
    onTestFinished(() => eventLog.close());
    const subscription = await eventLog.subscribe({
      group: "feed",
      topics: ["posts"],
      handle({ event: { eventId } }) {
        if (broken && eventId === 2n) return Promise.reject(new UnprocessableEvent("no such author"));
        handled.push(eventId);
        return Promise.resolve();
      },
    });

    const replay = ["replay", "--from-outbox", "--source", "post", "--since", "2h"];
    expect(await events(...replay)).toEqual({ replayed: 3 });
    await waitFor(async () => (await subscription.lag()) === 0);
    expect(handled).toEqual([1n, 3n]);
    const lag = (await events("lag")) as { lag: number; partitions: object[] };
    expect(lag.lag).toBe(0);
    expect(lag.partitions).toHaveLength(8);
    expect(lag.partitions[0]).toEqual({ group: "feed", topic: "posts", partition: 0, lag: 0 });
    expect(await events("dead-letters")).toMatchObject({
      deadLetters: [{ group: "feed", topic: "posts", key: "7", event: "postCreated", eventId: "2" }],
    });
    broken = false;
    expect(await events("replay", "--group", "feed")).toEqual({ replayed: 1 });
    await waitFor(() => handled.length === 3);
    expect(await events("dead-letters")).toEqual({ deadLetters: [] });
  });

  it("says what is wrong with a flag", async () => {
    await expect(events("replay", "--from-outbox", "--source", "gateway", "--since", "2h")).rejects.toThrow(
      "--source must be one of user, follow, post",
    );
  });
});
