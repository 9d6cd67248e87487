import type { TruePost } from "./oracle.ts";

/** The first place at which a feed is not what it must be. */
export interface Difference {
  readonly reader: string;
  /** Position in the whole feed, from 0. */
  readonly position: number;
  readonly expected: string;
  readonly actual: string;
}

const nothing = "the end";
const describe = (post: TruePost | undefined): string =>
  post === undefined ? nothing : `post ${post.id} by ${post.authorId}`;

/** Compares a feed, read page by page, with the truth; undefined when they are equal. */
export function firstDifference(
  reader: bigint,
  expected: readonly TruePost[],
  actual: readonly TruePost[],
): Difference | undefined {
  for (let position = 0; position < Math.max(expected.length, actual.length); position += 1) {
    const [want, have] = [expected[position], actual[position]];
    if (want?.id === have?.id && want?.authorId === have?.authorId) continue;
    return { reader: String(reader), position, expected: describe(want), actual: describe(have) };
  }
  return undefined;
}
