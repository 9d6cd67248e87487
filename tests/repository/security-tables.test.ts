import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

function rowsOf(file: string, first: RegExp): string[] {
  const text = readFileSync(new URL(`../../docs/security/${file}`, import.meta.url), "utf8");
  return text.split("\n").filter((line) => first.test(line));
}

/** The tests that a row names, as `file.test.ts`: "name". */
function testsOf(row: string): { file: string; name: string }[] {
  return [...row.matchAll(/`([\w/.-]+\.test\.ts)`: "([^"]+)"/g)].map(([, file = "", name = ""]) => ({
    file,
    name,
  }));
}

/** Those of them that are not there. */
function missingOf(rows: readonly string[]): string[] {
  return rows.flatMap(testsOf).flatMap(({ file, name }) => {
    const text = readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");
    return text.includes(`"${name}"`) ? [] : [`${file}: ${name}`];
  });
}

describe("the ASVS table", () => {
  const rows = rowsOf("asvs.md", /^\| \d+\.\d+\.\d+ /);

  it("names tests that are there, at least one for each requirement that is met or relaxed", () => {
    expect(rows.length).toBeGreaterThan(50);
    expect(missingOf(rows)).toEqual([]);
    const shown = rows.filter((row) => /\| (?:met|relaxed) /.test(row));
    expect(shown.filter((row) => testsOf(row).length === 0)).toEqual([]);
  });

  it("gives each requirement a verdict, and a reason where it is not met", () => {
    const verdicts = ["met", "documented", "not applicable", "relaxed"];
    const faults = rows.filter((row) => {
      const [, , , verdict = "", reason = ""] = row.split("|").map((cell) => cell.trim());
      return !verdicts.includes(verdict) || reason.length < (verdict === "relaxed" ? 80 : 5);
    });
    expect(faults).toEqual([]);
  });
});

it("the table of the API Top 10 names for each risk tests that are there", () => {
  const rows = rowsOf("api-top-10.md", /^\| API\d+ /);
  expect(rows).toHaveLength(10);
  expect(missingOf(rows)).toEqual([]);
  expect(rows.filter((row) => testsOf(row).length === 0)).toEqual([]);
});
