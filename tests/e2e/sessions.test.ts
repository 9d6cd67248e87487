import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { waitFor } from "@chirrup/testkit";
import { describe, expect, inject, it } from "vitest";
import { call, newPerson, type Person } from "./support/api.ts";

const meStatus = async (token: string): Promise<number> =>
  (await call("GET", "/api/v1/me", { token })).status;

async function login(
  person: Person,
): Promise<{ accessToken: string; refreshToken: string; expiresIn: number }> {
  const answer = await call("POST", "/api/v1/login", {
    body: { login: person.username, password: person.password },
  });
  expect(answer.status, answer.text).toBe(200);
  return answer.json as { accessToken: string; refreshToken: string; expiresIn: number };
}

describe("sessions", () => {
  it("refresh gives a new pair, and a token used twice long after ends the session", async () => {
    const person = await newPerson();
    const first = await call("POST", "/api/v1/refresh", { body: { refreshToken: person.refreshToken } });
    expect(first.status).toBe(200);
    expect(first.json.refreshToken).not.toBe(person.refreshToken);
    const second = await call("POST", "/api/v1/refresh", { body: { refreshToken: first.json.refreshToken } });
    expect(second.status).toBe(200);
    // The successor was used, so the first token can only be a thief's (or its victim's).
    expect(
      (await call("POST", "/api/v1/refresh", { body: { refreshToken: person.refreshToken } })).status,
    ).toBe(401);
    expect(
      (await call("POST", "/api/v1/refresh", { body: { refreshToken: second.json.refreshToken } })).status,
    ).toBe(401);
    await waitFor(async () => (await meStatus(second.json.accessToken)) === 401);
  });

  it("logout holds at the gateway within a second", async () => {
    const person = await newPerson();
    expect(await meStatus(person.token)).toBe(200);
    expect((await call("POST", "/api/v1/logout", { token: person.token, body: {} })).status).toBe(200);
    await waitFor(async () => (await meStatus(person.token)) === 401, {
      timeoutMs: 1_000,
      what: "the revocation",
    });
  });

  it("a change of the password ends the other sessions", async () => {
    const person = await newPerson();
    const other = await login(person);
    const newPassword = "a new long password";
    const wrong = await call("POST", "/api/v1/me/password", {
      token: person.token,
      body: { currentPassword: "not it at all", newPassword },
    });
    expect([401, 403]).toContain(wrong.status);
    const changed = await call("POST", "/api/v1/me/password", {
      token: person.token,
      body: { currentPassword: person.password, newPassword },
    });
    expect(changed.status, changed.text).toBe(200);
    await waitFor(async () => (await meStatus(other.accessToken)) === 401, { timeoutMs: 1_000 });
    expect(await meStatus(person.token)).toBe(200);
  });

  it("lists sessions and ends one", async () => {
    const person = await newPerson();
    const other = await login(person);
    const { sessions } = (await call("GET", "/api/v1/me/sessions", { token: person.token })).json;
    expect(sessions).toHaveLength(2);
    const theOther = sessions.find((session: { current: boolean }) => !session.current) as { id: string };
    expect((await call("DELETE", `/api/v1/me/sessions/${theOther.id}`, { token: person.token })).status).toBe(
      200,
    );
    await waitFor(async () => (await meStatus(other.accessToken)) === 401, { timeoutMs: 1_000 });
  });

  it("gives a browser cookies and no token to read", async () => {
    const person = await newPerson();
    const origin = inject("gatewayUrl");
    const browser = { origin, "sec-fetch-site": "same-origin" };
    const answer = await call("POST", "/api/v1/login", {
      body: { login: person.username, password: person.password },
      headers: browser,
    });
    expect(answer.status, answer.text).toBe(200);
    expect(answer.json).toMatchObject({ accessToken: "", refreshToken: "" });
    const cookies = answer.headers.getSetCookie();
    const named = cookies.map((cookie) => cookie.split("=", 1)[0]);
    expect(named).toEqual(["chirrup_access", "chirrup_refresh", "chirrup_consistency_user"]);
    for (const cookie of cookies) expect(cookie).toMatch(/; ?HttpOnly/i);
    const access = cookies.find((cookie) => cookie.includes("access"))?.split(";")[0] ?? "";

    expect((await call("GET", "/api/v1/me", { headers: { cookie: access } })).status).toBe(200);
    const body = { content: "from a page" };
    const own = await call("POST", "/api/v1/posts", { body, headers: { cookie: access, ...browser } });
    expect(own.status, own.text).toBe(200);
    const foreign = { cookie: access, origin: "https://evil.example", "sec-fetch-site": "cross-site" };
    expect((await call("POST", "/api/v1/posts", { body, headers: foreign })).status).toBe(403);
    const hostile = { origin: "https://evil.example", "sec-fetch-site": "cross-site" };
    const forcedLogin = await call("POST", "/api/v1/login", {
      body: { login: person.username, password: person.password },
      headers: hostile,
    });
    expect(forcedLogin.status).toBe(403);
  });

  it("leaves no password or token in a log", async () => {
    const person = await newPerson();
    const session = await login(person);
    await call("POST", "/api/v1/login", {
      body: { login: person.username, password: `${person.password}-wrong` },
    });
    await call("POST", "/api/v1/register", { body: { username: "x", password: person.password } });
    await call("GET", "/api/v1/me", { token: session.accessToken });
    const next = await call("POST", "/api/v1/refresh", { body: { refreshToken: session.refreshToken } });
    const folder = join(inject("platformHome"), "logs");
    const logs = readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
    const secrets = [
      person.password,
      person.token,
      person.refreshToken,
      session.accessToken,
      session.refreshToken,
      next.json.refreshToken as string,
    ];
    // The log is there at all: the request was written down.
    expect(logs.join("")).toContain("/api/v1/login");
    for (const secret of secrets) expect(logs.some((log) => log.includes(secret))).toBe(false);
    expect(logs.join("")).not.toMatch(/BEGIN PRIVATE KEY|\$argon2id\$/);
  });
});
