import fc from "fast-check";
import { expect, it } from "vitest";
import { fairShare } from "./fair-share.ts";

it("deals out every partition, evenly, whatever the rotation", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.nat(16), fc.nat(9), (count, partitions, rotation) => {
      const members = Array.from({ length: count }, (_, i) => `m${i}`).toSorted();
      const shares = members.map((member) => fairShare(members, member, partitions, rotation));
      expect(shares.reduce((sum, share) => sum + share, 0)).toBe(partitions);
      expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
    }),
  );
});
