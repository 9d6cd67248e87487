import { testRedis } from "@chirrup/testkit";
import { describe, expect, it } from "vitest";
import { holdsForAnyHistory } from "./histories/any-history.ts";

/** How many random histories one run plays: half a minute of a core that has nothing else to do. */
const histories = 1_000;

describe("any history", () => {
  it(
    `leaves every page equal to graph × posts, and skips and repeats nothing on the way, in ${histories}`,
    { timeout: 60_000 + histories * 3_000 },
    async () => {
      const { url: redisUrl } = await testRedis();
      await expect(holdsForAnyHistory({ redisUrl, histories })).resolves.toBeUndefined();
    },
  );
});
