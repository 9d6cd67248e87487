import { testLog, waitFor } from "@chirrup/testkit";
import { describe, expect, it, onTestFinished } from "vitest";
import { keepUp } from "./keep-up.ts";

/** Starts upkeep that counts its runs; `run` gets their number. */
function start(run: (count: number) => Promise<void>) {
  const controller = new AbortController();
  onTestFinished(() => controller.abort());
  const state = { count: 0 };
  const first = keepUp({
    name: "test",
    everyMs: 5,
    log: testLog(),
    signal: controller.signal,
    run: () => run(++state.count),
  });
  return { state, first, stop: () => controller.abort() };
}

describe("keepUp", () => {
  it("has run once when it resolves, and then again and again until it is stopped", async () => {
    const { state, first, stop } = start(() => Promise.resolve());
    expect(state.count).toBe(1);
    await first;
    await waitFor(() => state.count >= 3);
    stop();
    const { count } = state;
    const { state: other } = start(() => Promise.resolve());
    await waitFor(() => other.count >= 5);
    expect(state.count).toBe(count);
  });

  it("throws the error of the first run", async () => {
    await expect(start(() => Promise.reject(new Error("no"))).first).rejects.toThrow("no");
  });

  it("goes on after the error of a later run", async () => {
    const { state, first } = start((count) =>
      count === 2 ? Promise.reject(new Error("no")) : Promise.resolve(),
    );
    await first;
    await waitFor(() => state.count >= 4);
    expect(state.count).toBeGreaterThanOrEqual(4);
  });
});
