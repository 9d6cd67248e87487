import { describe, expect, it } from "vitest";
import { firstDifference } from "./compare.ts";

const post = (id: bigint, authorId = 1n): { id: bigint; authorId: bigint } => ({ id, authorId });

describe("firstDifference", () => {
  it("finds none between equal feeds", () => {
    expect(firstDifference(9n, [post(3n), post(1n)], [post(3n), post(1n)])).toBeUndefined();
  });

  it.each([
    ["a missing post", [post(3n), post(2n)], [post(3n)], "post 2 by 1", "the end"],
    ["a post too many", [post(3n)], [post(3n), post(2n)], "the end", "post 2 by 1"],
    ["a repeat", [post(3n), post(2n)], [post(3n), post(3n)], "post 2 by 1", "post 3 by 1"],
    ["a wrong author", [post(3n), post(2n)], [post(3n), post(2n, 7n)], "post 2 by 1", "post 2 by 7"],
  ])("finds %s", (_, expected, actual, want, have) => {
    expect(firstDifference(9n, expected, actual)).toMatchObject({ expected: want, actual: have });
  });
});
