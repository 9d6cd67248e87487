import { describe, expect, it } from "vitest";
import { faults } from "./faults/faults.ts";
import { faulty } from "./faults/plant.ts";

describe("the faults that the histories are tried on", () => {
  it.each(faults.map((fault) => [fault.name, fault] as const))("can still be planted: %s", (_, fault) => {
    expect(faulty(fault)).toContain(fault.wrong);
  });
});
