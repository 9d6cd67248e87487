import { describe, expect, it } from "vitest";
import { parseTemplate } from "./template.ts";

describe("parseTemplate", () => {
  it("reads literals, wildcards, variables and a verb", () => {
    expect(parseTemplate("/v1/{book.name=shelves/*/books/*}:burn")).toEqual({
      source: "/v1/{book.name=shelves/*/books/*}:burn",
      segments: [
        { kind: "literal", text: "v1" },
        { kind: "literal", text: "shelves" },
        { kind: "one" },
        { kind: "literal", text: "books" },
        { kind: "one" },
      ],
      verb: "burn",
      variables: [{ fieldPath: ["book", "name"], start: 1, end: 5, single: false }],
    });
    expect(parseTemplate("/v1/{id}/**").variables).toEqual([
      { fieldPath: ["id"], start: 1, end: 2, single: true },
    ]);
    expect(parseTemplate("/v1/{rest=**}").variables).toEqual([
      { fieldPath: ["rest"], start: 1, end: undefined, single: false },
    ]);
    expect(parseTemplate("/").segments).toEqual([{ kind: "literal", text: "" }]);
  });

  it.each([
    "",
    "v1",
    "/v1/",
    "//v1",
    "/v1/{}",
    "/v1/{id",
    "/v1/id}",
    "/v1/{a}{b}",
    "/v1/{a=}",
    "/v1/{a=b/}",
    "/v1/{a.}",
    "/v1/{1a}",
    "/v1/{a}/{a}",
    "/v1/**/b",
    "/v1/{a=**}/b",
    "/v1/{a={b}}",
    "/v1/a b",
    "/v1/a:",
    "/v1/{a:go}",
    "/v1/***",
    "/v1/a?b",
  ])("refuses %j", (source) => {
    expect(() => parseTemplate(source)).toThrow(`path template "${source}"`);
  });
});
