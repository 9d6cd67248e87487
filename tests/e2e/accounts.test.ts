import { readFileSync } from "node:fs";
import { join } from "node:path";
import { waitFor } from "@chirrup/testkit";
import { beforeAll, describe, expect, inject, it } from "vitest";
import { call, newPerson, type Person } from "./support/api.ts";
import { findSecrets, readEverything } from "./support/secret-scan.ts";
import { withCode } from "./support/totp.ts";

interface State {
  readonly parts: readonly { readonly name: string; readonly readyUrl?: string }[];
}

let state: State;
beforeAll(() => {
  state = JSON.parse(readFileSync(join(inject("platformHome"), "state.json"), "utf8")) as State;
});

/** The token of the newest mail to an address with this subject. */
async function mailedToken(email: string, subject: string): Promise<string> {
  const ready = state.parts.find(({ name }) => name === "user")?.readyUrl ?? "";
  return waitFor(
    async () => {
      const response = await fetch(new URL("/mailbox", ready), { headers: { accept: "application/json" } });
      const { mails } = (await response.json()) as { mails: { to: string; subject: string; text: string }[] };
      const mail = mails.find((sent) => sent.to === email && sent.subject === subject);
      return /#token=([\w-]{43})/.exec(mail?.text ?? "")?.[1];
    },
    { what: `the mail to ${email}` },
  );
}

const emailOf = (person: Person): string => `${person.username}@example.com`;
const login = (person: Person, password = person.password) =>
  call("POST", "/api/v1/login", { body: { login: person.username, password } });
const meStatus = async (token: string): Promise<number> =>
  (await call("GET", "/api/v1/me", { token })).status;

/** What must be found nowhere. */
const secrets = new Map<string, string>();
const keep = (name: string, secret: string): string => {
  secrets.set(name, secret);
  return secret;
};

describe("an account", () => {
  it("verifies its address by the mailed token", async () => {
    const person = await newPerson();
    expect((await call("GET", "/api/v1/me", { token: person.token })).json.user.emailVerified).toBe(false);
    const token = keep("verification", await mailedToken(emailOf(person), "Confirm your e-mail address"));
    const confirmed = await call("POST", "/api/v1/email-verifications:confirm", { body: { token } });
    expect(confirmed.status, confirmed.text).toBe(200);
    expect((await call("GET", "/api/v1/me", { token: person.token })).json.user.emailVerified).toBe(true);
    const again = await call("POST", "/api/v1/email-verifications:confirm", { body: { token } });
    expect(again.status).toBe(400);
  });

  it("sets a new password by mail, which ends its sessions within a second", async () => {
    const person = await newPerson();
    expect(await meStatus(person.token)).toBe(200);
    const answers = await Promise.all(
      [emailOf(person), "nobody.at.all@example.com"].map((email) =>
        call("POST", "/api/v1/password-resets", { body: { email } }),
      ),
    );
    expect(answers.map(({ status, text }) => [status, text])).toEqual([
      [200, "{}"],
      [200, "{}"],
    ]);
    const token = keep("reset", await mailedToken(emailOf(person), "Set a new password"));
    const newPassword = keep("new password", "an e2e phrase of its own");
    const done = await call("POST", "/api/v1/password-resets:confirm", { body: { token, newPassword } });
    expect(done.status, done.text).toBe(200);
    await waitFor(async () => (await meStatus(person.token)) === 401, { timeoutMs: 1_000 });
    expect((await login(person)).status).toBe(401);
    expect((await login(person, newPassword)).status).toBe(200);
  });

  it("is asked for its second factor at sign-in and before it is deleted", async () => {
    const person = await newPerson();
    keep("password", person.password);
    keep("refresh token", person.refreshToken);
    const { token } = person;
    const older = keep("older access token", (await login(person)).json.accessToken as string);
    const enrolled = await call("POST", "/api/v1/me/second-factor", {
      token,
      body: { currentPassword: person.password },
    });
    expect(enrolled.status, enrolled.text).toBe(200);
    const secret = keep("TOTP secret", enrolled.json.secret as string);
    const confirmed = await withCode(secret, (code) =>
      call("POST", "/api/v1/me/second-factor:confirm", { token, body: { code } }),
    );
    expect(confirmed.status, confirmed.text).toBe(200);
    const recoveryCodes = confirmed.json.recoveryCodes as string[];
    for (const [index, code] of recoveryCodes.entries()) keep(`recovery code ${index}`, code);

    const challenged = await login(person);
    expect(challenged.status).toBe(400);
    expect(challenged.json.code).toBe(9);
    const info = challenged.json.details.find((detail: { reason?: string }) => detail.reason !== undefined);
    expect(info.reason).toBe("SECOND_FACTOR_REQUIRED");
    const challenge = keep("challenge", info.metadata.challenge as string);
    const wrong = await call("POST", "/api/v1/login:second-factor", { body: { challenge, code: "12" } });
    expect(wrong.status).toBe(401);
    const signedIn = await call("POST", "/api/v1/login:second-factor", {
      body: { challenge, code: recoveryCodes[0] },
    });
    expect(signedIn.status, signedIn.text).toBe(200);
    keep("access token", signedIn.json.accessToken as string);

    // A session that never showed it, as one that was stolen before.
    const refused = await call("DELETE", "/api/v1/me", { token: older });
    expect(refused.status).toBe(400);
    expect(refused.text).toContain("SECOND_FACTOR_REQUIRED");
    const off = await call("DELETE", "/api/v1/me/second-factor", { token: signedIn.json.accessToken });
    expect(off.status, off.text).toBe(200);
    expect((await call("DELETE", "/api/v1/me", { token: older })).status).toBe(200);
  });

  it("is slowed down after wrong passwords, and says when to come back", async () => {
    const person = await newPerson();
    const answers = [];
    for (let attempt = 0; attempt < 6; attempt += 1) answers.push(await login(person, "not the password"));
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401, 429]);
    expect(Number(answers.at(-1)?.headers.get("retry-after"))).toBeGreaterThan(0);
    await waitFor(async () => (await login(person)).status === 200, { what: "the right password's turn" });
  });

  it("leaves no secret in any table or log", async () => {
    const person = await newPerson();
    keep("another password", person.password);
    keep("another refresh token", person.refreshToken);
    keep("another access token", person.token);
    await login(person, `${person.password}!`);
    const texts = await readEverything(inject("platformHome"));
    // The scan sees what it looks through.
    expect([...texts.values()].some((text) => text.includes(person.username))).toBe(true);
    expect(secrets.size).toBeGreaterThan(15);
    expect(findSecrets(texts, secrets)).toEqual([]);
  });
});
