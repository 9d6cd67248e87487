import { describe, expect, it } from "vitest";

import { cancellationOf, Canceller } from "./cancellation.ts";

function listening(told: string[], name: string): { handleEvent(): void } {
  return { handleEvent: () => void told.push(name) };
}

describe("a canceller", () => {
  it("tells each listener that is left, once, and keeps the first reason", () => {
    const told: string[] = [];
    const canceller = new Canceller();
    const listeners = ["a", "b", "c", "d"].map((name) => listening(told, name));
    for (const listener of listeners) canceller.addEventListener("abort", listener);
    const [a, b, , d] = listeners;
    for (const gone of [b, d, listening(told, "never there")]) {
      canceller.removeEventListener("abort", gone ?? listening(told, ""));
    }
    canceller.throwIfAborted();
    canceller.abort("first");
    canceller.abort("second");
    canceller.addEventListener("abort", a ?? listening(told, ""));
    expect(told.toSorted()).toEqual(["a", "c"]);
    expect(canceller).toMatchObject({ aborted: true, reason: "first" });
    expect(() => canceller.throwIfAborted()).toThrow("first");
  });

  it("is one for each lasting signal, before and after that aborts", () => {
    const controller = new AbortController();
    const cancellation = cancellationOf(controller.signal);
    const told: string[] = [];
    cancellation.addEventListener("abort", listening(told, "a"));
    expect(cancellationOf(controller.signal)).toBe(cancellation);
    controller.abort("over");
    expect(told).toEqual(["a"]);
    expect(cancellation).toMatchObject({ aborted: true, reason: "over" });
    expect(cancellationOf(AbortSignal.abort("early"))).toMatchObject({ aborted: true, reason: "early" });
  });
});
