import { fromJson } from "@bufbuild/protobuf";
import { TimestampSchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseTimestamp } from "./timestamp-from-json.ts";

describe("parseTimestamp", () => {
  it("agrees with Date for any time of the calendar, at any offset", () => {
    const date = fc.date({
      min: new Date("0001-01-02T00:00:00Z"),
      max: new Date("9999-12-30T23:59:59Z"),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(date, fc.integer({ min: -1_439, max: 1_439 }), fc.nat(9), (time, minutes, places) => {
        const local = new Date(time.getTime() + minutes * 60_000).toISOString().slice(0, 19);
        const pad = (value: number): string => String(value).padStart(2, "0");
        const away = Math.abs(minutes);
        const offset =
          minutes === 0 ? "Z" : `${minutes < 0 ? "-" : "+"}${pad(Math.floor(away / 60))}:${pad(away % 60)}`;
        const fraction = places === 0 ? "" : `.${"123456789".slice(0, places)}`;
        expect(parseTimestamp(`${local}${fraction}${offset}`)).toEqual({
          seconds: Math.floor(time.getTime() / 1_000),
          nanos: Number("123456789".slice(0, places).padEnd(9, "0")) * (places === 0 ? 0 : 1),
        });
      }),
      { numRuns: 500 },
    );
  });

  it("takes no text that protobuf-es refuses, and the same time from others", () => {
    const near = fc
      .tuple(
        fc.constantFrom("2024-02-29T23:59:59Z", "1900-02-28T00:00:00.5+01:00", "2000-12-31T12:00:00-23:59"),
        fc.nat(30),
        fc.constantFrom("", "0", "9", "-", ":", "T", "t", "Z", "z", ".", "+", " ", "6"),
        fc.boolean(),
      )
      .map(([text, at, char, replaces]) => text.slice(0, at) + char + text.slice(replaces ? at + 1 : at));
    fc.assert(
      fc.property(near, (text) => {
        const ours = parseTimestamp(text);
        if (ours === undefined) return;
        const theirs = fromJson(TimestampSchema, text);
        expect({ seconds: Number(theirs.seconds), nanos: theirs.nanos }).toEqual(ours);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    "2026-02-29T00:00:00Z",
    "1900-02-29T00:00:00Z",
    "2026-04-31T00:00:00Z",
    "2026-00-01T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-01-01T24:00:00Z",
    "2026-01-01T00:00:60Z",
    "2026-01-01t00:00:00Z",
    "2026-01-01T00:00:00z",
    "2026-01-01T00:00:00",
    "2026-01-01T00:00:00.Z",
    "2026-01-01T00:00:00.1234567890Z",
    "2026-01-01T00:00:00+0100",
    "2026-01-01T00:00:00Z ",
    "0001-01-01T00:00:00+00:01",
    "9999-12-31T23:59:59-00:01",
    "",
  ])("refuses %j", (text) => expect(parseTimestamp(text)).toBeUndefined());
});
