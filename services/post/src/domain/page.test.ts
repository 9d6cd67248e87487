import { describe, expect, it } from "vitest";

import { pageOf } from "./page.ts";

const rows = [{ id: 3n }, { id: 2n }, { id: 1n }];

describe("pageOf", () => {
  it("ends below the last row when there are more", () => {
    expect(pageOf(rows, 2)).toEqual({ rows: [{ id: 3n }, { id: 2n }], last: 2n });
  });
  it("is the end when the page is just full", () =>
    expect(pageOf(rows, 3)).toEqual({ rows, last: undefined }));
  it("is the end when nothing is there", () => expect(pageOf([], 3)).toEqual({ rows: [], last: undefined }));
});
