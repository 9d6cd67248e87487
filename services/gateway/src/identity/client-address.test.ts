import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addressGroup, createClientAddress } from "./client-address.ts";

describe("createClientAddress", () => {
  const behind = createClientAddress(["10.0.0.0/8", "2001:db8::/32"]);

  it.each<[string | undefined, string | undefined, string]>([
    ["203.0.113.9", undefined, "203.0.113.9"],
    ["203.0.113.9", "1.1.1.1", "203.0.113.9"],
    ["10.0.0.1", undefined, "10.0.0.1"],
    ["10.0.0.1", "198.51.100.1", "198.51.100.1"],
    ["::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"],
    ["10.0.0.1", "1.1.1.1, 198.51.100.1", "198.51.100.1"],
    ["10.0.0.1", "198.51.100.1, 10.0.0.2", "198.51.100.1"],
    ["10.0.0.1", "198.51.100.1, junk", "10.0.0.1"],
    ["10.0.0.1", "198.51.100.1, junk, 10.0.0.2", "10.0.0.2"],
    ["10.0.0.1", "", "10.0.0.1"],
    ["2001:db8::1", "2a00::1", "2a00::1"],
    ["fe80::1%eth0", undefined, "fe80::1"],
    [undefined, undefined, "0.0.0.0"],
  ])("socket %s, header %s: %s", (socket, header, expected) => {
    expect(behind(socket, header)).toBe(expected);
  });

  it.each(["", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/x", "host", "::/129"])(
    "refuses the range %j",
    (range) => {
      expect(() => createClientAddress([range])).toThrow("is not an address or a CIDR range");
    },
  );
});

describe("addressGroup", () => {
  it.each([
    ["203.0.113.9", "203.0.113.9"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:0db8:0001::6", "2001:db8:1:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["1::", "1:0:0:0::/64"],
    ["64:ff9b::192.0.2.1", "64:ff9b:0:0::/64"],
  ])("puts %s into %s", (address, group) => {
    expect(addressGroup(address)).toBe(group);
  });

  it("is one for all spellings and all hosts of a /64", () => {
    const group = fc.integer({ min: 0, max: 0xffff });
    fc.assert(
      fc.property(fc.tuple(group, group, group, group), fc.tuple(group, group, group, group), (net, host) => {
        const plain = [...net, ...host].map((part) => part.toString(16)).join(":");
        const padded = [...net, ...host]
          .map((part) => part.toString(16).padStart(4, "0").toUpperCase())
          .join(":");
        expect(addressGroup(padded)).toBe(addressGroup(plain));
        expect(addressGroup([...net.map((part) => part.toString(16)), ":1"].join(":"))).toBe(
          addressGroup(plain),
        );
      }),
    );
  });
});
