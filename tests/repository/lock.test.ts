import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

interface LockedPackage {
  readonly resolved?: string;
}

const lock = JSON.parse(readFileSync(new URL("../../package-lock.json", import.meta.url), "utf8")) as {
  readonly packages: Readonly<Record<string, LockedPackage>>;
};

describe("package-lock.json", () => {
  it("names no registry", () => {
    const addresses = Object.values(lock.packages).flatMap(({ resolved }) =>
      resolved?.includes("://") ? [resolved] : [],
    );
    expect(addresses).toEqual([]);
  });
});
