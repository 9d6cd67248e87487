import { describe, expect, it } from "vitest";
import type { WrittenPost } from "./ledger.ts";
import { orderFault } from "./order.ts";

const post = (id: bigint, at: number, more: Partial<WrittenPost> = {}): WrittenPost => ({
  content: String(id),
  authorId: "a",
  sentAt: at,
  acknowledgedAt: at + 1,
  id,
  ...more,
});
const page = (...ids: bigint[]) => ({ ids, whole: true, readAt: 100 });
const posts = [post(1n, 10), post(2n, 20), post(3n, 30)];

describe("orderFault", () => {
  it.each([
    ["all posts", page(3n, 2n, 1n)],
    ["none yet", page()],
    ["the latest on its way", page(2n, 1n)],
    ["older ones behind the page's end", { ...page(3n, 2n), whole: false }],
  ])("bears %s", (_, seen) => expect(orderFault(seen, posts)).toBeUndefined());

  it.each([
    ["a gap", page(3n, 1n), "post 2 is missing below"],
    ["a repeat", page(3n, 2n, 2n, 1n), "post 2 stands behind post 2"],
    ["a turn", page(3n, 1n, 2n), "post 2 stands behind post 1"],
  ])("finds %s", (_, seen, fault) => expect(orderFault(seen, posts)).toContain(fault));

  it("bears what is deleted, another author's, or was written at the same time", () => {
    const [first, , third] = posts as [WrittenPost, WrittenPost, WrittenPost];
    for (const second of [
      post(2n, 20, { deletionSentAt: 99 }),
      post(2n, 20, { authorId: "b" }),
      post(2n, 20, { acknowledgedAt: 31 }),
    ])
      expect(orderFault(page(3n, 1n), [first, second, third])).toBeUndefined();
  });
});
