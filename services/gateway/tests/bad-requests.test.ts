import fc from "fast-check";
import { waitFor } from "@chirrup/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startGateway, type TestGateway } from "./gateway.ts";
import { badTokens } from "./bad-tokens.ts";
import { sendRaw } from "./http-client.ts";

const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "SEARCH"];
const words = [
  "api",
  "v1",
  "posts",
  "users",
  "me",
  "login",
  "feed",
  "comments",
  "like",
  "sessions",
  "usernames",
  "1",
  "0",
  "-1",
  "9223372036854775807",
  "9223372036854775808",
  "abc",
  "",
  ".",
  "..",
  "%2e%2e",
  "%2f",
  "%00",
  "%ff",
  "%",
  "*",
  "{user_id}",
  ":confirm",
  "__proto__",
  "constructor",
  "é",
  "%F0%9F%98%80",
  "a".repeat(300),
].map((word) => encodeURI(word).replaceAll("%25", "%"));
const names = [
  "cursor",
  "page_size",
  "pageSize",
  "ids",
  "user_id",
  "userId",
  "content",
  "__proto__",
  "a.b",
  "",
  "%",
  "toString",
];
const values = ["", "1", "-1", "x", "%ff", "a+b", "1e9", "NaN", "0x1", "null", "[]", "2147483648", "true"];

const path = fc
  .tuple(
    fc.array(fc.constantFrom(...words), { maxLength: 6 }),
    fc.boolean(),
    fc.array(fc.tuple(fc.constantFrom(...names), fc.constantFrom(...values)), { maxLength: 4 }),
  )
  .map(([parts, isApi, query]) => {
    const search = query.map(([name, value]) => `${name}=${value}`).join("&");
    return `${isApi ? "/api/v1/" : "/"}${parts.join("/")}${search === "" ? "" : `?${search}`}`;
  });

const body = fc.oneof(
  fc.constant(undefined),
  fc.json(),
  fc.string({ unit: "binary" }),
  fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
  fc.constantFrom(
    "null",
    "[]",
    "{",
    '{"a":1,"a":2}',
    '{"content":"\\ud800"}',
    '{"content":null}',
    '{"login":{},"password":[]}',
    "[".repeat(5000),
    `${'{"a":'.repeat(5000)}1${"}".repeat(5000)}`,
    '{"__proto__":{"x":1}}',
    '{"content":1e400}',
  ),
  fc
    .record(
      {
        content: fc.string({ unit: "binary" }),
        login: fc.anything(),
        password: fc.anything(),
        refreshToken: fc.string(),
      },
      { requiredKeys: [] },
    )
    .map((value) => {
      try {
        return JSON.stringify(value) ?? "undefined";
      } catch {
        return "cyclic";
      }
    }),
);

/** What node:http's client lets through; bytes that it does not are below. */
const headerText = fc.string({
  unit: fc
    .integer({ min: 0x20, max: 0xff })
    .filter((code) => code !== 0x7f)
    .map((code) => String.fromCharCode(code)),
  maxLength: 80,
});

/** Requests under way at once. */
const together = 20;
const atOnce = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc.array(one, { minLength: together, maxLength: together });

describe("bad requests", () => {
  let gateway: TestGateway;
  let token: string;
  beforeAll(async () => {
    gateway = await startGateway();
    token = await gateway.issuer.token();
  });
  afterAll(() => gateway[Symbol.asyncDispose]());

  it("never break the gateway: 6,000 of them, no 5xx", async () => {
    const headers = fc.record(
      {
        authorization: fc.oneof(
          headerText,
          headerText.map((text) => `Bearer ${text}`),
        ),
        cookie: headerText,
        origin: headerText,
        "sec-fetch-site": headerText,
        "content-type": fc.oneof(headerText, fc.constant("application/json")),
        "idempotency-key": headerText,
        "x-request-id": headerText,
        traceparent: headerText,
        "x-forwarded-for": headerText,
        "user-agent": headerText,
      },
      { requiredKeys: [] },
    );
    const wellFormed = { code: expect.any(Number), message: expect.any(String), details: expect.any(Array) };
    const statuses = new Map<number, number>();
    const request = fc.tuple(fc.constantFrom(...methods), path, headers, body, fc.boolean());
    await fc.assert(
      fc.asyncProperty(atOnce(request), async (requests) => {
        const answers = await Promise.all(
          requests.map(async ([method, target, extra, payload, signedIn]) => {
            const { authorization, ...rest } = extra;
            const sent = { ...rest, ...(signedIn || authorization === undefined ? {} : { authorization }) };
            const answer = await gateway.ask(method, target, {
              headers: sent,
              ...(signedIn ? { token } : {}),
              ...(payload === undefined ? {} : { body: payload }),
            });
            return { method, ...answer };
          }),
        );
        for (const { method, status, text, json } of answers) {
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
          expect(status).toBeLessThan(500);
          expect(text).not.toMatch(/\.[jt]s:\d|node_modules|ECONN|127\.0\.0\.1/);
          const isFailure = status >= 400 && method !== "HEAD";
          expect(isFailure ? json() : wellFormed).toMatchObject(wellFormed);
        }
      }),
      { numRuns: 6_000 / together },
    );
    expect(statuses.get(400)).toBeGreaterThan(50);
    expect((await gateway.ask("GET", "/api/v1/me", { token })).status).toBe(200);
  }, 240_000);

  it("let nobody in by a token that is none: 4,000 of them", async () => {
    const tokens = await badTokens(gateway.issuer);
    const seen = gateway.services.seen.length;
    await fc.assert(
      fc.asyncProperty(atOnce(fc.tuple(tokens, fc.boolean())), async (sent) => {
        const answers = await Promise.all(
          sent.map(([bad, isCookie]) =>
            gateway.ask("GET", "/api/v1/me", {
              headers: isCookie ? { cookie: `chirrup_access=${bad}` } : { authorization: `Bearer ${bad}` },
            }),
          ),
        );
        // 431 for one that is larger than all headers may be.
        for (const { status } of answers) expect([401, 431]).toContain(status);
      }),
      { numRuns: 4_000 / together },
    );
    expect(gateway.services.seen.slice(seen).filter(({ rpc }) => rpc === "GetMe")).toEqual([]);
    expect((await gateway.ask("GET", "/api/v1/me", { token })).status).toBe(200);
  }, 240_000);

  it("never hang a connection: bytes that are not HTTP", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), async (bytes) => {
        const text = await sendRaw(gateway.port, Buffer.concat([bytes, Buffer.from("\r\n\r\n\r\n")])).catch(
          () => "",
        );
        expect(text).toMatch(/^(HTTP\/1\.1 [24]\d\d |$)/);
      }),
      { numRuns: 100 },
    );
  });

  it("cancel the call when the client leaves", async () => {
    let signal: AbortSignal | undefined;
    gateway.services.getPost = (_, call) => {
      ({ signal } = call);
      return new Promise((resolve) => call.signal.addEventListener("abort", () => resolve({})));
    };
    const controller = new AbortController();
    const fetching = fetch(`http://127.0.0.1:${gateway.port}/api/v1/posts/1`, {
      headers: { authorization: `Bearer ${token}` },
      signal: controller.signal,
    }).catch(() => undefined);
    await waitFor(() => signal);
    controller.abort();
    await fetching;
    // Well before the deadline, which would abort it too.
    await waitFor(() => signal?.aborted === true, { timeoutMs: 2_000 });
    expect(signal?.aborted).toBe(true);
  });
});
