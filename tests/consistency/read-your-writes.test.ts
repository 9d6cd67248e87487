import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeAndRead } from "./pairs.ts";
import { setStage, type Stage } from "./stage.ts";

// The 10,000 pairs of `node -C source tests/consistency/main.ts`, in short.
describe("a caller who sends back consistency tokens", () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await setStage();
    await stage.untilInRotation();
  });
  afterAll(() => stage[Symbol.asyncDispose]());

  it("reads every write, also while the replica is 5 s behind, and without tokens does not", async () => {
    const { gatewayUrl, pair } = stage;
    const fresh = await writeAndRead({ gatewayUrl, count: 50, keepsTokens: true, prefix: "fresh" });
    expect(fresh).toEqual({ pairs: 50, violations: 0, byPair: {} });

    await pair.delay(5_000);
    const late = await writeAndRead({ gatewayUrl, count: 100, keepsTokens: true, prefix: "late" });
    expect(late).toEqual({ pairs: 100, violations: 0, byPair: {} });
    for (const service of ["user", "follow", "post"] as const) {
      expect((await stage.readsOf(service)).get("behind")).toBeGreaterThan(0);
    }

    // Planted: what the tokens are for. What is missing is found on the primary all the same, what is old is not.
    const forgetful = await writeAndRead({ gatewayUrl, count: 40, keepsTokens: false, prefix: "forgetful" });
    expect(forgetful.violations).toBeGreaterThan(5);
    expect((await stage.readsOf("post")).get("fresh")).toBeGreaterThan(0);
  });
});
