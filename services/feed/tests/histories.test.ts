import { testRedis } from "@chirrup/testkit";
import { describe, expect, it } from "vitest";
import { holdsForAnyHistory } from "./histories/any-history.ts";

/** How many random histories one run plays: half a minute of a core that has nothing else to do. */
const histories = 1_000;
/** So many at once, so that none waits while another's Redis answers. */
const databases = 4;

describe("any history", () => {
  it(
    `leaves every page equal to graph × posts, and skips and repeats nothing on the way, in ${histories}`,
    { timeout: 60_000 + histories * 3_000 },
    async () => {
      async function some(): Promise<void> {
        const { url: redisUrl } = await testRedis();
        await holdsForAnyHistory({ redisUrl, histories: histories / databases });
      }
      await expect(Promise.all(Array.from({ length: databases }, some))).resolves.toBeDefined();
    },
  );
});
