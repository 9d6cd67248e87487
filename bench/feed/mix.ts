import { createRandom, pick } from "../../apps/cli/src/seed/random.ts";
import { composeText } from "../../apps/cli/src/seed/text.ts";
import { type Ask, type Kind, requestOf } from "./load.ts";

/** Of DeathStarBench's social network: how many of a hundred requests read a home feed, a user's posts, or write. */
const shares: readonly (readonly [Kind, number])[] = [
  ["home", 0.6],
  ["user_posts", 0.3],
  ["compose", 0.1],
];
/** Its pages have ten posts. */
const pageSize = 10;

/** Draws requests of readers who are signed in, of one kind or of the mix. */
export function drawRequests(
  tokens: readonly string[],
  userIds: readonly bigint[],
  seed: number,
): (only?: Kind) => Ask {
  const random = createRandom(seed);
  function drawKind(): Kind {
    let left = random();
    for (const [kind, share] of shares) {
      if (left < share) return kind;
      left -= share;
    }
    return "home";
  }
  return (only) => {
    const kind = only ?? drawKind();
    const token = pick(random, tokens);
    if (kind === "home")
      return { kind, bytes: requestOf("GET", `/api/v1/feed?page_size=${pageSize}`, token) };
    if (kind === "compose") {
      return { kind, bytes: requestOf("POST", "/api/v1/posts", token, { content: composeText(random) }) };
    }
    const path = `/api/v1/users/${pick(random, userIds)}/posts?page_size=${pageSize}`;
    return { kind, bytes: requestOf("GET", path, token) };
  };
}
