import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { StreamTable } from "./stream-table.ts";
import { Stream } from "./stream.ts";

class Silent extends Stream {
  constructor(id: number) {
    super();
    this.id = id;
  }
  onHeaders(): void {}
  onData(): void {}
  onReset(): void {}
  onLost(): void {}
  onWritable(): void {}
}

/** Ids that share slots, however large the table is, and such that do not. */
const ids = fc
  .integer({ min: 0, max: 40 })
  .chain((number) => fc.constantFrom(2 * number + 1, 2048 * number + 1));

describe("the table of streams", () => {
  it("is a map, whatever comes and goes", () => {
    fc.assert(
      fc.property(fc.array(ids, { maxLength: 200 }), (turns) => {
        const table = new StreamTable();
        const model = new Map<number, Stream>();
        for (const id of turns) {
          const known = model.get(id);
          if (known === undefined) {
            const stream = new Silent(id);
            table.add(stream);
            model.set(id, stream);
          } else {
            table.delete(known);
            model.delete(id);
          }
          expect(table.get(id)).toBe(model.get(id));
          expect(known?.nextInSlot).toBeUndefined();
          expect(table.size).toBe(model.size);
        }
        expect(new Set(table.all())).toEqual(new Set(model.values()));
        expect(table.delete(new Silent(3))).toBe(false);
        table.clear();
        expect(table.size).toBe(0);
        for (const [id, stream] of model) {
          expect(table.get(id)).toBeUndefined();
          expect(stream.nextInSlot).toBeUndefined();
        }
      }),
    );
  });
});
