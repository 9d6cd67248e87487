import { createRandom } from "../random.ts";

/** A follow graph of numbered users: `followers[a]` are those who follow a, in ascending order. */
export interface NumberedGraph {
  readonly users: number;
  readonly followers: readonly Int32Array[];
  readonly edges: number;
}

/** No user may follow more: the follow service's limit. */
const maxFollowees = 5_000;

/** How fast the numbers of followers fall with an author's rank, as in graphs of real platforms. */
const exponent = 0.85;

/**
 * A graph in which the author of rank r (from 0) has `maxFollowers` ÷ (r + 1)^0.85 followers, drawn at random. The
 * same arguments give the same graph. Some 50 ns for each edge.
 */
export function powerLawGraph(users: number, maxFollowers: number, seed: number): NumberedGraph {
  const random = createRandom(seed);
  const followees = new Int32Array(users);
  // Numbers 0 … users - 1; a shuffle of its beginning draws without putting back.
  const deck = Int32Array.from({ length: users }, (_, user) => user);
  let edges = 0;
  const followers = Array.from({ length: users }, (_, author) => {
    const wanted = Math.min(users - 1, Math.max(1, Math.round(maxFollowers / (author + 1) ** exponent)));
    const drawn = new Int32Array(wanted);
    let taken = 0;
    for (let at = 0; at < users && taken < wanted; at += 1) {
      const other = at + Math.floor(random() * (users - at));
      const user = deck[other] ?? 0;
      deck[other] = deck[at] ?? 0;
      deck[at] = user;
      if (user === author || (followees[user] ?? 0) >= maxFollowees) continue;
      followees[user] = (followees[user] ?? 0) + 1;
      drawn[taken] = user;
      taken += 1;
    }
    edges += taken;
    return drawn.subarray(0, taken).sort();
  });
  return { users, followers, edges };
}

/** Whose posts these are: authors with many followers write more. */
export function drawAuthors(users: number, posts: number, seed: number): Int32Array {
  const random = createRandom(seed);
  return Int32Array.from({ length: posts }, () => Math.floor(users * random() ** 2));
}
