import { describe, expect, it } from "vitest";
import { measureExactness } from "./gateways/exactness.ts";
import { measureOutage } from "./gateways/outage.ts";

// The short form of `node -C source services/gateway/tests/gateways/main.ts`.
describe("several gateway processes", () => {
  it("let in no more of one bucket than burst and refill, however wrong their clocks are", async () => {
    const { requests, admitted, denied, others, burst, most, taken } = await measureExactness(4_000);
    // Their clocks are what they were set to: those ahead find the token expired.
    expect(taken).toEqual([true, true, false, false]);
    // 503 of a gateway that was too busy to hear of revocations: it lets nobody in.
    expect(Object.keys(others).filter((status) => status !== "503")).toEqual([]);
    expect(admitted + denied + (others[503] ?? 0)).toBe(requests);
    expect(admitted).toBeGreaterThanOrEqual(burst);
    expect(admitted).toBeLessThanOrEqual(most);
  });

  it("answer within the deadline while Redis is killed, away and back", async () => {
    // The deadline of a busy machine: Redis's own is 20 ms.
    const { deadlineMs, statuses, before, without, after } = await measureOutage({
      requests: 400,
      deadlineMs: 5_000,
    });
    expect(Object.keys(statuses)).toEqual(["200"]);
    for (const { maxMs } of [before, without, after]) expect(maxMs).toBeLessThan(deadlineMs);
  });
});
