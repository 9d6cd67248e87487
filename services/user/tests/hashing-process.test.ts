import { readFileSync } from "node:fs";
import { getPriority, platform } from "node:os";
import { Status } from "@chirrup/grpc";
import type { DomainError } from "@chirrup/platform";
import { testLog, waitFor } from "@chirrup/testkit";
import { expect, it, onTestFinished } from "vitest";
import type { HashingProcess } from "../src/hashing/hashing-process.ts";
import { startHashingProcess } from "../src/hashing/hashing-process.ts";

const parameters = { algorithm: 2, memoryCost: 7_168, timeCost: 5, parallelism: 1 };

function start(): HashingProcess {
  const hashing = startHashingProcess({ niceness: 7, log: testLog() });
  onTestFinished(() => hashing.close());
  return hashing;
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

it("hashes and verifies at a low priority, in an environment without secrets", async () => {
  const hashing = start();
  const stored = await hashing.hash("correct horse battery", parameters);
  expect(await hashing.verify(stored, "correct horse battery")).toBe(true);
  expect(await hashing.verify(stored, "correct horse battery!")).toBe(false);
  await expect(hashing.verify("not a hash", "a password")).rejects.toThrow("argon2");
  const pid = hashing.pid() ?? 0;
  expect(getPriority(pid)).toBe(Math.max(7, getPriority()));
  if (platform() !== "linux") return;
  // fork adds what the pipe needs, and nothing of this process's own.
  const names = readFileSync(`/proc/${pid}/environ`, "latin1").split("\0").filter(Boolean);
  expect(names.filter((name) => !name.startsWith("NODE_CHANNEL_"))).toEqual([]);
});

it("fails what a killed process had begun, and goes on in another", async () => {
  const hashing = start();
  const stored = await hashing.hash("correct horse battery", parameters);
  const begun = Array.from({ length: 3 }, () => hashing.verify(stored, "correct horse battery"));
  const pid = hashing.pid() ?? 0;
  process.kill(pid, "SIGKILL");
  const outcomes = await Promise.allSettled(begun);
  const codes = outcomes.map((each) => each.status === "rejected" && (each.reason as DomainError).code);
  expect(codes).toEqual([Status.UNAVAILABLE, Status.UNAVAILABLE, Status.UNAVAILABLE]);
  expect(await hashing.verify(stored, "correct horse battery")).toBe(true);
  expect(hashing.pid()).not.toBe(pid);
});

it("ends with its parent", async () => {
  const hashing = start();
  await hashing.hash("correct horse battery", parameters);
  const pid = hashing.pid() ?? 0;
  hashing.close();
  await waitFor(async () => !isRunning(pid), { what: "the end of the hashing process" });
  await expect(hashing.hash("correct horse battery", parameters)).rejects.toThrow("shutting down");
});
