import { testRedis } from "@chirrup/testkit";
import { describe, expect, it } from "vitest";
import { holdsForAnyHistory } from "./histories/any-history.ts";

/** How many random histories one run plays. */
const histories = 1_000;

describe("any history", () => {
  it(
    `leaves every page equal to graph × posts, and skips and repeats nothing on the way, in ${histories}`,
    { timeout: 60_000 + histories * 500 },
    async () => {
      const { url: redisUrl } = await testRedis();
      await expect(holdsForAnyHistory({ redisUrl, histories })).resolves.toBeUndefined();
    },
  );
});
