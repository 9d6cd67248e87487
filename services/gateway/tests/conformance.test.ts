import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const page = readFileSync(new URL("../../../docs/gateway-conformance.md", import.meta.url), "utf8");

interface Row {
  readonly promise: string;
  readonly test: string;
}

/** The rows of the table below a heading. */
function rowsOf(heading: string): Row[] {
  const [, section = ""] = page.split(`\n## ${heading}\n`);
  const lines = (section.split("\n## ")[0] ?? "").split("\n").filter((line) => line.startsWith("|"));
  return lines.slice(2).map((line) => {
    const [promise = "", test = ""] = line.slice(1, -1).split("|");
    return { promise: promise.trim(), test: test.trim() };
  });
}

const headings = ["google/api/http.proto", "The proto3 JSON mapping", "What a caller meets"];
const rows = headings.flatMap(rowsOf);

describe("docs/gateway-conformance.md", () => {
  it.each(rows.map(({ promise, test }) => [promise, test]))("%s has its test", (_, test) => {
    const [, file, title] = /^`([\w./-]+)`: (.+)$/.exec(test) ?? [];
    if (file === undefined || title === undefined) throw new Error("a row needs `file`: name");
    const source = readFileSync(new URL(`../${file}`, import.meta.url), "utf8");
    expect(source).toContain(JSON.stringify(title));
  });

  it("has every type of the mapping", () => {
    const types =
      "message; enum; map<K,V>; repeated V; bool; string; bytes; int32, fixed32, uint32; int64, fixed64, uint64; " +
      "float, double; Any; Timestamp; Duration; Struct; Wrapper types; FieldMask; ListValue; Value; NullValue; Empty";
    const named = rowsOf("The proto3 JSON mapping").map(({ promise }) => promise);
    expect(named.slice(0, 20)).toEqual(types.split("; "));
    expect(rows.length).toBeGreaterThan(100);
  });
});
