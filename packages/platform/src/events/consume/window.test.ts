import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createWindow } from "./window.ts";

describe("window", () => {
  it("commits exactly the prefix that is handled, in whatever order and with whatever delay", () => {
    const step = fc.oneof(
      fc.constant({ kind: "add" as const }),
      fc.record({ kind: fc.constant("complete" as const), pick: fc.nat() }),
      fc.constant({ kind: "commit" as const }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.nat(1_000), (steps, start) => {
        const window = createWindow({ id: "0-0", count: start });
        const slots: ReturnType<typeof window.add>[] = [];
        let committed = 0;
        for (const { kind, ...rest } of steps) {
          if (kind === "add") slots.push(window.add(`${slots.length + 1}-0`));
          if (kind === "complete") {
            const open = slots.filter((slot) => !slot.done);
            const slot = open[(rest as { pick: number }).pick % open.length];
            if (slot !== undefined) window.complete(slot);
          }
          if (kind === "commit") {
            const position = window.committable();
            if (position === undefined) continue;
            window.committed(position);
            committed = position.count - start;
          }
          const gap = slots.findIndex((slot) => !slot.done);
          const handled = gap === -1 ? slots.length : gap;
          const expected = handled > committed ? { id: `${handled}-0`, count: start + handled } : undefined;
          expect(window.committable()).toEqual(expected);
          expect(window.size).toBe(slots.length - committed);
        }
      }),
    );
  });

  it("keeps what became done while a commit was on its way", () => {
    const window = createWindow({ id: "0-0", count: 0 });
    const [first, second] = [window.add("1-0"), window.add("2-0")];
    window.complete(first);
    const sent = window.committable();
    window.complete(second);
    expect(sent).toEqual({ id: "1-0", count: 1 });
    if (sent !== undefined) window.committed(sent);
    expect(window.committable()).toEqual({ id: "2-0", count: 2 });
  });
});
