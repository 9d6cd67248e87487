import { describe, expect, it } from "vitest";
import type { Revocation } from "./revocation.ts";
import { createWatcher } from "./revocation-watcher.ts";

const forgetAt = new Date(0);

function revoked(...revisions: number[]): Revocation[] {
  return revisions.map((revision) => ({
    revision: BigInt(revision),
    sessionId: BigInt(revision * 10),
    forgetAt,
  }));
}

const never = new AbortController().signal;

describe("createWatcher", () => {
  it("gives what was delivered since, once, and nothing that the snapshot had", async () => {
    const watcher = createWatcher({ heartbeatMs: 150 });
    watcher.deliver(revoked(1, 2), 2n);
    watcher.deliver(revoked(3), 3n);
    watcher.skipTo(2n);
    expect(await watcher.next(never)).toEqual({ revocations: revoked(3), revision: 3n });
    watcher.deliver(revoked(2, 3), 3n);
    watcher.deliver(revoked(4), 4n);
    expect(await watcher.next(never)).toEqual({ revocations: revoked(4), revision: 4n });
  });

  it("beats on a delivery that comes late enough, and on no clock of its own", async () => {
    let nowMs = 0;
    const watcher = createWatcher({ heartbeatMs: 150, nowMs: () => nowMs });
    const next = watcher.next(never);
    let given = false;
    void next.then(() => (given = true));
    const deliverAt = async (atMs: number) => {
      nowMs = atMs;
      watcher.deliver([], 7n);
      await new Promise((resolve) => setImmediate(resolve));
      return given;
    };
    expect(await deliverAt(100)).toBe(false);
    expect(await deliverAt(149)).toBe(false);
    expect(await deliverAt(150)).toBe(true);
    expect(await next).toEqual({ revocations: [], revision: 7n });
  });

  it("gives up a reader that is far behind", async () => {
    const watcher = createWatcher({ heartbeatMs: 150 });
    for (let page = 0; page < 11; page++) {
      const revisions = Array.from({ length: 1_000 }, (_, index) => page * 1_000 + index + 1);
      watcher.deliver(revoked(...revisions), BigInt((page + 1) * 1_000));
    }
    await expect(watcher.next(never)).rejects.toThrow("too slow");
  });

  it("ends when its stream does, and fails when it is told to", async () => {
    const leaving = new AbortController();
    const watcher = createWatcher({ heartbeatMs: 150 });
    const next = watcher.next(leaving.signal);
    leaving.abort();
    expect(await next).toBeUndefined();
    const failing = watcher.next(never);
    watcher.fail(new Error("stopping"));
    await expect(failing).rejects.toThrow("stopping");
  });
});
