import fc from "fast-check";
import { expect, it } from "vitest";
import { formatLsn, parseLsn } from "./lsn.ts";

it("reads what it writes, over all 64 bits", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (lsn) => {
      expect(parseLsn(formatLsn(lsn))).toBe(lsn);
    }),
  );
});

it("reads Postgres's form and refuses another", () => {
  expect(parseLsn("16/B374D848")).toBe(0x16_b374d848n);
  for (const text of ["", "16", "16/", "16/B374D8481", "16/xyz", "1/2/3"])
    expect(() => parseLsn(text)).toThrow("not an LSN");
});
