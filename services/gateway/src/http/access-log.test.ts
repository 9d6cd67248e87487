import { describe, expect, it } from "vitest";
import { sampleOf } from "./access-log.ts";

describe("the access log", () => {
  const rules = [
    { routes: ["GET /healthy"], sample: 0 },
    { statuses: [2, 3], sample: 0.01 },
    { routes: ["GET /seldom"], sample: 0.5 },
  ];

  it.each([
    ["GET /healthy", 500, 0],
    ["GET /a", 204, 0.01],
    ["GET /seldom", 200, 0.01],
    ["GET /seldom", 404, 0.5],
    ["GET /a", 404, 1],
    ["", 404, 1],
  ])("has of %s with %i the share %d, by the first rule that fits", (route, status, share) => {
    expect(sampleOf(rules, route, status)).toBe(share);
  });
});
