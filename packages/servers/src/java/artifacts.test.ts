import { describe, expect, it } from "vitest";
import { checkSum, parseSums } from "./artifacts.ts";

const sum = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

describe("the list of artifacts", () => {
  it("is what sha256sum writes", () => {
    expect(parseSums(`${sum}  a/b/c.jar\n\n${sum} *d.jar\n`)).toEqual([
      { path: "a/b/c.jar", sha256: sum },
      { path: "d.jar", sha256: sum },
    ]);
  });

  it("refuses other bytes", () => {
    const artifact = { path: "a.jar", sha256: sum };
    expect(() => checkSum(artifact, Buffer.from("hello"))).not.toThrow();
    expect(() => checkSum(artifact, Buffer.from("hello!"))).toThrow(/a\.jar has the SHA-256/);
  });
});
