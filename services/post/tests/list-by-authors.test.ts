import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type PostServiceUnderTest, startPostService } from "./post-service.ts";

let service: PostServiceUnderTest;
beforeAll(async () => {
  service = await startPostService();
});
afterAll(() => service[Symbol.asyncDispose]());

/** Puts posts of these authors into the table, with ids 1, 2, 3, … in place of all that was there. */
async function write(authors: readonly number[]): Promise<void> {
  await service.postgres.transaction(async (tx) => {
    await tx.query({ name: "test-clear", text: "delete from posts" });
    await tx.query({
      name: "test-write",
      text: `insert into posts (id, author_id, content)
        select place, author_id, 'x' from unnest($1::bigint[]) with ordinality as post (author_id, place)`,
      values: [authors],
    });
  });
}

async function listed(
  authorIds: readonly number[],
  before: number,
  limit: number,
): Promise<[bigint, bigint][]> {
  const request = { authorIds: authorIds.map(BigInt), before: BigInt(before), limit };
  const { posts } = await service.client.listByAuthors(request);
  return posts.map(({ id, authorId }) => [id, authorId]);
}

/** The answer by sorting all there is. */
function sorted(
  authors: readonly number[],
  wanted: readonly number[],
  before: number,
  limit: number,
): [bigint, bigint][] {
  return authors
    .map((authorId, index): [bigint, bigint] => [BigInt(index + 1), BigInt(authorId)])
    .filter(([id, authorId]) => wanted.includes(Number(authorId)) && (before === 0 || id < BigInt(before)))
    .toReversed()
    .slice(0, limit);
}

/** Histories in which authors write turn by turn, in runs of their own, or hardly at all. */
const histories = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 30 })), { maxLength: 40 })
  .map((runs) => runs.flatMap(([authorId, times]) => Array.from({ length: times }, () => authorId)));

describe("ListByAuthors", () => {
  it("is the sorted posts of the authors, for any history, authors, place and limit", async () => {
    const asked = fc.array(fc.integer({ min: 1, max: 14 }), { minLength: 1, maxLength: 6 });
    const requests = fc.array(fc.tuple(asked, fc.nat({ max: 700 }), fc.integer({ min: 1, max: 60 })), {
      minLength: 12,
      maxLength: 12,
    });
    await fc.assert(
      fc.asyncProperty(histories, requests, async (authors, list) => {
        await write(authors);
        for (const [wanted, before, limit] of list) {
          expect(await listed(wanted, before, limit)).toEqual(sorted(authors, wanted, before, limit));
        }
      }),
      { numRuns: 40 },
    );
  });

  it("takes as many authors as a user may follow, and the user", async () => {
    const authors = Array.from({ length: 6_000 }, (_, index) => ((index * 7919) % 6_000) + 1);
    await write(authors);
    const wanted = Array.from({ length: 5_001 }, (_, index) => index + 1);
    expect(await listed(wanted, 0, 1_000)).toEqual(sorted(authors, wanted, 0, 1_000));
  });

  it("is the same below the window that is looked through first", async () => {
    // Nobody of interest wrote lately: 1 and 2 are buried under 500 posts of others.
    const authors = [
      ...Array.from({ length: 40 }, (_, index) => 1 + (index % 3)),
      ...Array.from({ length: 500 }, () => 9),
    ];
    await write(authors);
    for (const limit of [1, 5, 27, 28, 100]) {
      expect(await listed([1, 2], 0, limit)).toEqual(sorted(authors, [1, 2], 0, limit));
      expect(await listed([2, 1, 2, 9], 45, limit)).toEqual(sorted(authors, [1, 2, 9], 45, limit));
    }
  });
});
