import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { forgedTokens } from "./forged-tokens.ts";
import { startGateway, type TestGateway } from "./gateway.ts";
import type { Answer } from "./http-client.ts";

const access = "__Host-chirrup_access";
let gateway: TestGateway;
let good: string;
beforeAll(async () => {
  // The names and flags of production.
  const local = readFileSync(new URL("../config/gateway.local.yaml", import.meta.url), "utf8");
  const gatewayFile = local
    .replaceAll("secure: false", "secure: true")
    .replace("name: chirrup_access", `name: ${access}`)
    .replace("name: chirrup_refresh", "name: __Secure-chirrup_refresh");
  gateway = await startGateway({ gatewayFile });
  good = await gateway.issuer.token(42n, 7n);
});
afterAll(() => gateway[Symbol.asyncDispose]());

/** All of an answer that a client sees, but for what is another one's with each request. */
function shapeOf({ status, headers, text }: Answer): object {
  const { date: _, "x-request-id": requestId, traceparent: __, ...others } = headers;
  return { status, headers: others, text: text.replaceAll(String(requestId), "") };
}

const asking = (headers: Record<string, string | string[]>): Promise<Answer> =>
  gateway.ask("GET", "/api/v1/me", { headers });
const reached = (): number => gateway.services.seen.length;

describe("a forged token", () => {
  it("is 401 in one shape, whatever is wrong with it, and reaches no service", async () => {
    const forgeries = await forgedTokens(gateway.issuer);
    const like = shapeOf(await asking({ authorization: "Bearer junk" }));
    expect(like).toMatchObject({ status: 401 });
    const before = reached();
    const others: string[] = [];
    for (const [what, token] of forgeries) {
      const shape = shapeOf(await asking({ authorization: `Bearer ${token}` }));
      if (JSON.stringify(shape) !== JSON.stringify(like)) others.push(`${what}: ${JSON.stringify(shape)}`);
    }
    console.log(`${forgeries.length} tokens`);
    expect(others).toEqual([]);
    expect(reached()).toBe(before);
    expect((await asking({ authorization: `Bearer ${good}` })).status).toBe(200);
  });

  it("is the same in a cookie", async () => {
    const like = shapeOf(await asking({ cookie: `${access}=junk` }));
    const others: string[] = [];
    for (const [what, token] of await forgedTokens(gateway.issuer)) {
      const shape = shapeOf(await asking({ cookie: `${access}=${token}` }));
      if (JSON.stringify(shape) !== JSON.stringify(like)) others.push(`${what}: ${JSON.stringify(shape)}`);
    }
    expect(others).toEqual([]);
  });
});

describe("an Authorization header", () => {
  it.each([
    ["another scheme", () => `Basic ${good}`],
    ["no scheme", () => good],
    ["no token", () => "Bearer"],
    ["spaces for a token", () => "Bearer   "],
    ["two tokens", () => `Bearer ${good} ${good}`],
    ["two tokens and a comma", () => `Bearer ${good}, Bearer ${good}`],
    ["a quoted token", () => `Bearer "${good}"`],
    ["a parameter", () => `Bearer token=${good}`],
    ["a tab", () => `Bearer\t${good}`],
    ["a colon", () => `Bearer: ${good}`],
    ["DPoP", () => `DPoP ${good}`],
    ["Token", () => `Token ${good}`],
    ["letters beyond ASCII", () => `Bearer ${good}é`],
    ["a percent sign", () => `Bearer ${good.replace(".", "%2e")}`],
  ])("with %s is 401, in the shape of a forged token", async (_, header) => {
    const like = shapeOf(await asking({ authorization: "Bearer junk" }));
    expect(shapeOf(await asking({ authorization: header() }))).toEqual(like);
  });

  it("that comes twice is 400", async () => {
    expect((await asking({ authorization: [`Bearer ${good}`, "Bearer junk"] })).status).toBe(400);
  });

  it("beside a cookie is the one that counts", async () => {
    expect((await asking({ authorization: "Bearer junk", cookie: `${access}=${good}` })).status).toBe(401);
  });
});

describe("a cookie", () => {
  it("by its right name lets its owner in", async () => {
    expect((await asking({ cookie: `theme=dark; ${access}=${good}; lang=en` })).status).toBe(200);
  });

  it.each([
    ["twice, the good one first", () => `${access}=${good}; ${access}=junk`],
    ["twice, the good one last", () => `${access}=junk; ${access}=${good}`],
    ["twice the same", () => `${access}=${good}; ${access}=${good}`],
    ["three times", () => `${access}=; ${access}=${good}; ${access}=${good}`],
    ["quoted", () => `${access}="${good}"`],
    ["half quoted", () => `${access}="${good}`],
    ["with a comma and another", () => `${access}=${good},${access}=${good}`],
    ["with a comma behind", () => `${access}=${good},`],
    ["with a space in it", () => `${access}=${good.slice(0, 20)} ${good.slice(20)}`],
    ["percent-encoded", () => `${access}=${good.replaceAll(".", "%2E")}`],
    ["as JSON", () => `${access}={"token":"${good}"}`],
    ["with an equals sign before", () => `${access}==${good}`],
    ["with Bearer before", () => `${access}=Bearer ${good}`],
    ["too long", () => `${access}=${"x".repeat(5_000)}`],
    ["a number", () => `${access}=1`],
    ["beyond ASCII", () => `${access}=${good}é`],
    ["with a parameter of Set-Cookie", () => `${access}=junk; Path=/; HttpOnly`],
    ["with attributes of RFC 2965", () => `$Version=1; ${access}=junk; $Path=/`],
  ])("%s is 401, in the shape of a forged token", async (_, header) => {
    const like = shapeOf(await asking({ cookie: `${access}=junk` }));
    expect(shapeOf(await asking({ cookie: header() }))).toEqual(like);
  });

  it.each([
    ["without its prefix", () => `chirrup_access=${good}`],
    ["with another prefix", () => `__Secure-chirrup_access=${good}`],
    ["with the prefix twice", () => `__Host-${access}=${good}`],
    ["with the prefix in lower case", () => `__host-chirrup_access=${good}`],
    ["with the prefix in upper case", () => `__HOST-chirrup_access=${good}`],
    ["in upper case", () => `${access.toUpperCase()}=${good}`],
    ["with a sign before its name", () => `x${access}=${good}`],
    ["with a sign behind its name", () => `${access}x=${good}`],
    ["with an index", () => `${access}[0]=${good}`],
    ["with a dollar sign", () => `$${access}=${good}`],
    [
      "with an underscore beyond ASCII",
      () => `__Host-chirrup\uff3faccess=${good}`.replace("\uff3f", "%EF%BC%BF"),
    ],
    ["in another's value", () => `theme="a; b=${access}"; x=${good}`],
    ["in a nameless cookie", () => `=${access}=${good}`],
    ["of refreshing", () => `__Secure-chirrup_refresh=${good}`],
    ["that is empty", () => `${access}=`],
    ["that is blank", () => `${access}=   `],
    ["without a value", () => access],
    ["of nothing", () => ";;;"],
    ["of equals signs", () => "==="],
    ["of 500 others", () => Array.from({ length: 500 }, (_, index) => `c${index}=1`).join("; ")],
  ])("%s is none of ours: 401, in the shape of a request without", async (_, header) => {
    const like = shapeOf(await asking({}));
    expect(like).toMatchObject({ status: 401 });
    expect(shapeOf(await asking({ cookie: header() }))).toEqual(like);
  });

  it("that another header adds to is the same as in one", async () => {
    const like = shapeOf(await asking({ cookie: `${access}=junk` }));
    const split = [`${access}=${good}`, `${access}=${good}`];
    expect(shapeOf(await asking({ cookie: split }))).toEqual(like);
  });

  it("of a good token does not change state from another site, or from one that does not say", async () => {
    const cookie = `${access}=${good}`;
    for (const proof of [
      {},
      { origin: "https://evil.test" },
      { origin: "null" },
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site" },
      { "sec-fetch-site": "none" },
    ]) {
      const answer = await gateway.ask("PATCH", "/api/v1/me", {
        headers: { cookie, ...proof },
        body: { bio: "x" },
      });
      expect([proof, answer.status]).toEqual([proof, 403]);
    }
  });
});
