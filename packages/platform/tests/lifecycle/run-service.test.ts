import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

import { waitFor } from "@chirrup/testkit";
import { describe, expect, it } from "vitest";

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const settings = {
  GRPC_PORT: "0",
  HTTP_PORT: "0",
  PEER_SECRET: "s".repeat(32),
  LOG_LEVEL: "debug",
  SHUTDOWN_GRACE_MS: "300",
};

/** Starts program.ts in a process of its own. */
function start(program: string, env: Record<string, string> = {}) {
  const child = spawn(process.execPath, ["-C", "source", new URL("program.ts", import.meta.url).pathname], {
    env: { PATH: process.env["PATH"], ...settings, PROGRAM: program, ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const lines: Record<string, unknown>[] = [];
  let stderr = "";
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(JSON.parse(line) as Record<string, unknown>);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const ended: Promise<Ended> = once(child, "close").then(([code, signal]) => ({ code, signal }));
  const line = (msg: string) =>
    waitFor(() => lines.find((each) => each["msg"] === msg), { what: `the line ${msg}` });
  return { child, lines, line, ended, stderr: () => stderr };
}

const order = (lines: Record<string, unknown>[]): unknown[] => lines.map(({ msg, part }) => part ?? msg);

describe("runService", () => {
  it.each(["SIGTERM", "SIGINT"] as const)("drains on %s and ends by itself with 0", async (signal) => {
    const program = start("serve");
    const { port } = await program.line("listening");
    await program.line("ready");
    const ready = await fetch(`http://127.0.0.1:${String(port)}/readyz`);
    expect(await ready.json()).toEqual({ ready: true, checks: { lifecycle: "ok" } });
    program.child.kill(signal);
    expect(await program.ended).toEqual({ code: 0, signal: null });
    expect(order(program.lines)).toEqual([
      "listening",
      "ready",
      "stopping",
      "draining",
      "admin",
      "store closed",
      "store",
      "stopped",
    ]);
    expect(await program.line("draining")).toMatchObject({ ready: 503, aborted: true });
  });

  it("stops with its launcher when it is supervised, and only then", async () => {
    const supervised = start("serve", { CHIRRUP_SUPERVISED: "1" });
    const alone = start("serve");
    await Promise.all([supervised.line("ready"), alone.line("ready")]);
    supervised.child.stdin.end();
    alone.child.stdin.end();
    expect(await supervised.ended).toEqual({ code: 0, signal: null });
    expect(supervised.lines.find(({ msg }) => msg === "stopping")).toMatchObject({
      reason: "the launcher is gone",
    });
    expect(alone.child.exitCode).toBeNull();
    alone.child.kill("SIGTERM");
    expect(await alone.ended).toEqual({ code: 0, signal: null });
  });

  it("stops while it starts", async () => {
    const program = start("slow");
    await program.line("listening");
    program.child.kill("SIGTERM");
    expect(await program.ended).toEqual({ code: 0, signal: null });
    expect(order(program.lines)).toEqual([
      "listening",
      "stopping",
      "draining",
      "admin",
      "store closed",
      "store",
      "stopped",
    ]);
  });

  it("ends with 78 and every fault when its settings are wrong, and tells no value", async () => {
    const program = start("serve", { GRPC_PORT: "hunter2", PEER_SECRET: "" });
    expect(await program.ended).toEqual({ code: 78, signal: null });
    expect(program.stderr()).toMatch(/GRPC_PORT must be a port number\n {2}PEER_SECRET is required/);
    expect(program.stderr()).not.toContain("hunter2");
  });

  it("ends with 1 when it cannot start, and closes what it had", async () => {
    const program = start("fail");
    expect(await program.ended).toEqual({ code: 1, signal: null });
    expect(order(program.lines)).toEqual([
      "listening",
      "could not start",
      "draining",
      "admin",
      "store closed",
      "store",
      "stopped",
    ]);
  });

  it.each(["uncaught", "rejection"])("ends with 1 after an error that nothing handled: %s", async (kind) => {
    const program = start(kind);
    expect(await program.ended).toEqual({ code: 1, signal: null });
    expect(program.lines.at(-1)).toMatchObject({
      level: "fatal",
      msg: "nothing handled this error",
      err: { message: "a bug" },
    });
  });

  it("goes on without a closer that does not end", async () => {
    const program = start("stuck");
    await program.line("ready");
    program.child.kill("SIGTERM");
    expect(await program.ended).toEqual({ code: 1, signal: null });
    expect(program.lines.find(({ msg }) => msg === "did not close")).toMatchObject({ part: "stuck" });
    expect(order(program.lines)).toContain("store closed");
  });

  it("names what keeps the process alive, and ends it", async () => {
    const program = start("leak");
    await program.line("ready");
    program.child.kill("SIGTERM");
    expect(await program.ended).toEqual({ code: 1, signal: null });
    expect(program.lines.at(-1)).toMatchObject({
      level: "error",
      resources: expect.arrayContaining(["Timeout"]),
    });
  });
});
