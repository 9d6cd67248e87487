import { Metadata, Status } from "@chirrup/grpc";
import { metadataKeys } from "@chirrup/platform";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Service, SignedIn } from "./user-service.ts";
import { codeOf, password, signUp, startService } from "./user-service.ts";

let service: Service;
let person: SignedIn;
beforeAll(async () => {
  service = await startService();
  person = await signUp(service.client);
});
afterAll(() => service[Symbol.asyncDispose]());

/** One code point of one and of four bytes, two that normal form C makes one, one that it makes two. */
const signs = ["a", "😀", "e\u0301", "\u0958"];

const codePoints = (text: string): number => Array.from(text).length;

/** Around the bound of the table and around that of the request, which is eight times as far. */
function lengthsAround(bound: number): number[] {
  return [bound / 2, bound / 2 + 1, bound, bound + 1, 4 * bound, 8 * bound, 8 * bound + 1];
}

describe.each([
  ["displayName", 50],
  ["bio", 160],
] as const)("%s", (field, bound) => {
  it.each(signs)(
    "of any number of %j is stored or refused as INVALID_ARGUMENT, as its bound says",
    async (sign) => {
      for (const length of lengthsAround(bound)) {
        const text = sign.repeat(length);
        const fits = codePoints(text.normalize("NFC")) <= bound;
        const code = await codeOf(service.client.updateMe({ [field]: text }, person.call));
        expect([length, code]).toEqual([length, fits ? Status.OK : Status.INVALID_ARGUMENT]);
        if (!fits) continue;
        const { user } = await service.client.getMe({}, person.call);
        expect(user?.[field]).toBe(text.normalize("NFC"));
      }
    },
  );
});

describe("who registers", () => {
  const register = (wanted: { username?: string; email?: string; password?: string }) =>
    codeOf(
      service.client.register({ username: "fresh_name", email: "fresh@example.com", password, ...wanted }),
    );

  it.each([
    ["username", (length: number) => "b".repeat(length), 30],
    [
      "email",
      (length: number) =>
        `${"c".repeat(60)}@${"d.".repeat((length - 68) / 2)}${"d".repeat(length % 2)}example`,
      254,
    ],
    ["password", (length: number) => "é".repeat(length), 128],
  ] as const)(
    "with a %s that is too long is told so, and one as long as may be is stored",
    async (field, ofLength, bound) => {
      expect(codePoints(ofLength(bound))).toBe(bound);
      for (const length of [bound + 1, 2 * bound, 8 * bound, 100 * bound]) {
        expect([length, await register({ [field]: ofLength(length) })]).toEqual([
          length,
          Status.INVALID_ARGUMENT,
        ]);
      }
      const longest = {
        username: `longest_${field}`,
        email: `longest_${field}@example.com`,
        [field]: ofLength(bound),
      };
      expect(await register(longest)).toBe(Status.OK);
    },
  );

  it("from a device whose name is long is shown the beginning of it", async () => {
    const metadata = Metadata.from({ [metadataKeys.userAgent]: "x".repeat(5_000) });
    await service.client.login({ login: person.username, password }, { metadata });
    const { sessions } = await service.client.listSessions({}, person.call);
    expect(sessions.map(({ userAgent }) => userAgent)).toContain("x".repeat(200));
  });
});
