import { beforeAll, describe, expect, inject, it } from "vitest";
import { type ApiStatus, call, newPerson, type Person } from "./support/api.ts";
import { type BadBody, malformedSignIns, wrongSignIns } from "./support/sign-in-bodies.ts";

let person: Person;
beforeAll(async () => {
  person = await newPerson("bodies");
});

interface Shape {
  readonly status: number;
  readonly contentType: string | null;
  readonly cookies: readonly string[];
  readonly json: ApiStatus;
}

async function send(
  path: string,
  { body, contentType = "application/json" }: Omit<BadBody, "what">,
): Promise<Shape> {
  const response = await fetch(`${inject("gatewayUrl")}${path}`, {
    method: "POST",
    headers: { "content-type": contentType },
    body,
  });
  const { status, headers } = response;
  const json = (await response.json()) as ApiStatus;
  return { status, contentType: headers.get("content-type"), cookies: headers.getSetCookie(), json };
}

const requestInfo = "type.googleapis.com/google.rpc.RequestInfo";

/** What is the same in all refusals of a kind: all but the request's id and, in a 400, what is said of which field. */
function kindOf({ status, contentType, cookies, json }: Shape): object {
  const { message, details } = json;
  const told =
    status === 400
      ? { details: details.map((detail) => detail["@type"].split(".").at(-1)) }
      : { message, details: details.filter((detail) => detail["@type"] !== requestInfo) };
  return { status, contentType, cookies, keys: Object.keys(json), code: json.code, ...told };
}

describe("a sign-in", () => {
  it("that is no sign-in is refused in the shape of its status, whatever else it holds", async () => {
    const bodies = malformedSignIns(person.username, person.password);
    const shapes = new Map<number, object>();
    const others: string[] = [];
    for (const bad of bodies) {
      const kind = kindOf(await send("/api/v1/login", bad));
      const expected = bad.status ?? 400;
      if (!shapes.has(expected)) shapes.set(expected, kind);
      const like = shapes.get(expected);
      if (!("status" in kind) || kind.status !== expected || JSON.stringify(kind) !== JSON.stringify(like))
        others.push(`${bad.what}: ${JSON.stringify(kind)}`);
    }
    console.log(`${bodies.length} bodies`);
    expect(others).toEqual([]);
    expect(shapes.get(400)).toEqual({
      status: 400,
      contentType: "application/json",
      cookies: [],
      keys: ["code", "message", "details"],
      code: 3,
      details: ["ErrorInfo", "BadRequest", "RequestInfo"],
    });
  });

  it("that is wrong is refused in one answer, however near it comes", async () => {
    const like = kindOf(
      await send("/api/v1/login", { body: '{"login":"nobody_there","password":"nothing at all"}' }),
    );
    expect(like).toMatchObject({ status: 401, code: 16, cookies: [] });
    for (const wrong of wrongSignIns(person.username, person.password)) {
      const kind = kindOf(await send("/api/v1/login", { body: JSON.stringify(wrong) }));
      expect([wrong.login.slice(0, 40), kind]).toEqual([wrong.login.slice(0, 40), like]);
    }
  });
});

describe("a refresh token", () => {
  const refresh = (refreshToken: unknown) =>
    send("/api/v1/refresh", { body: JSON.stringify({ refreshToken }) });

  it("that is not the session's is refused in one answer, and ends nothing", async () => {
    const { refreshToken: good, token } = person;
    const last = good.at(-1) ?? "";
    const bad = [
      "x",
      "A".repeat(43),
      `${good}=`,
      `${good}A`,
      good.slice(0, -1),
      good.toUpperCase(),
      ` ${good}`,
      `${good} `,
      `${good}\n`,
      good.slice(0, -1) + String.fromCharCode(last.charCodeAt(0) + 1),
      good.split("").toReversed().join(""),
      `"${good}"`,
      `Bearer ${good}`,
      Buffer.from(good, "base64url").toString("hex"),
      Buffer.from(good, "base64url").toString("base64"),
      `${good}\u0000`,
      `${good}é`,
      token.slice(0, 200),
      "' OR 1=1 --",
      "null",
    ].filter((text) => text !== good);
    const like = kindOf(await refresh("x"));
    expect(like).toMatchObject({ status: 401, code: 16, cookies: [] });
    for (const text of bad)
      expect([text.slice(0, 20), kindOf(await refresh(text))]).toEqual([text.slice(0, 20), like]);
    expect((await refresh(good)).status).toBe(200);
  });

  it.each([1, true, [], {}, ["x"], { $ne: null }, "x".repeat(201), "\ud800"])(
    "that is %j is 400",
    async (value) => {
      expect(kindOf(await refresh(value))).toMatchObject({ status: 400, code: 3, cookies: [] });
    },
  );

  it.each(["junk", "a b", '"quoted"', "x".repeat(5_000), "é"])(
    "in a cookie of %j is refused",
    async (value) => {
      const answer = await call("POST", "/api/v1/refresh", {
        body: {},
        headers: { cookie: `chirrup_refresh=${encodeURI(value)}`, origin: inject("gatewayUrl") },
      });
      expect([400, 401]).toContain(answer.status);
      expect(answer.headers.getSetCookie()).toEqual([]);
    },
  );
});
