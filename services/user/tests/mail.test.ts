import { request } from "node:http";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { Status } from "@chirrup/grpc";
import { waitFor } from "@chirrup/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Service } from "./user-service.ts";
import {
  codeOf,
  failureOf,
  fieldsOf,
  mailedToken,
  mailsTo,
  password,
  securityLogOf,
  signUp,
  startInstance,
  startService,
} from "./user-service.ts";

const verifySubject = "Confirm your e-mail address";
const resetSubject = "Set a new password";
const newPassword = "quite another phrase";
const hourMs = 3_600_000;

let service: Service;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service[Symbol.asyncDispose]());

describe("e-mail verification", () => {
  it("takes the mailed token once", async () => {
    const { client, postgres } = service;
    const { userId, email, call } = await signUp(client);
    expect((await client.getMe({}, call)).user?.emailVerified).toBe(false);
    const token = await mailedToken(service, email, verifySubject);
    expect(
      fieldsOf(await failureOf(client.confirmEmailVerification({ token: `${token.slice(1)}A` }))),
    ).toEqual(["token"]);
    await client.confirmEmailVerification({ token });
    expect((await client.getMe({}, call)).user?.emailVerified).toBe(true);
    expect(await codeOf(client.confirmEmailVerification({ token }))).toBe(Status.INVALID_ARGUMENT);
    expect(await securityLogOf(postgres, userId)).toEqual(["account_registered", "email_verified"]);
  });

  it("mails again when asked, five live tokens at most, each good for a day", async () => {
    const { client, clock } = service;
    const { email, call } = await signUp(client);
    const tokens = new Set<string>();
    for (let count = 1; count <= 5; count++) {
      tokens.add(await mailedToken(service, email, verifySubject, count));
      await client.requestEmailVerification({}, call);
    }
    expect(tokens.size).toBe(5);
    const queued = () =>
      service.postgres.query({
        name: "test_queue",
        text: "SELECT FROM mail_queue WHERE email = $1",
        values: [email],
      });
    await waitFor(async () => (await queued()).length === 0, { what: "the sixth to be dropped" });
    expect(await mailsTo(service, email)).toHaveLength(5);
    clock.advance(24 * hourMs + 1_000);
    for (const token of tokens) {
      expect(await codeOf(client.confirmEmailVerification({ token }))).toBe(Status.INVALID_ARGUMENT);
    }
  });
});

describe("a change of the e-mail address", () => {
  it("waits for the new address's token, then tells the old one", async () => {
    const { client } = service;
    const { username, email, call } = await signUp(client);
    const wrong = client.changeEmail({ email: "new@example.com", currentPassword: "wrong" }, call);
    expect(await codeOf(wrong)).toBe(Status.PERMISSION_DENIED);
    await client.requestPasswordReset({ email });
    const oldReset = await mailedToken(service, email, resetSubject);

    await client.changeEmail({ email: " New@Example.com ", currentPassword: password }, call);
    expect((await client.getMe({}, call)).user?.email).toBe(email);
    await client.confirmEmailVerification({
      token: await mailedToken(service, "new@example.com", verifySubject),
    });
    expect((await client.getMe({}, call)).user).toMatchObject({
      email: "new@example.com",
      emailVerified: true,
    });
    await waitFor(
      async () => (await mailsTo(service, email))[0]?.subject === "Your e-mail address was changed",
    );
    expect(await codeOf(client.login({ login: "new@example.com", password }))).toBe(Status.OK);
    expect(await codeOf(client.login({ login: email, password }))).toBe(Status.UNAUTHENTICATED);
    expect(await codeOf(client.login({ login: username, password }))).toBe(Status.OK);
    // What the old address had been sent is worth nothing now.
    const reset = client.confirmPasswordReset({ token: oldReset, newPassword });
    expect(fieldsOf(await failureOf(reset))).toEqual(["token"]);
  });

  it("to another's address answers the same, mails nothing, and cannot take it", async () => {
    const { client } = service;
    const [one, two] = [await signUp(client), await signUp(client)];
    await client.changeEmail({ email: two.email, currentPassword: password }, one.call);
    await client.changeEmail({ email: "later@example.com", currentPassword: password }, one.call);
    const token = await mailedToken(service, "later@example.com", verifySubject);
    expect(await mailsTo(service, two.email)).toHaveLength(1);
    await client.register({ username: "was_quicker", email: "later@example.com", password });
    expect(await codeOf(client.confirmEmailVerification({ token }))).toBe(Status.ALREADY_EXISTS);
  });
});

describe("a password reset", () => {
  it("sets the password by the mailed token, once, and ends all sessions", async () => {
    const { client, postgres } = service;
    const { userId, sessionId, username, email, refreshToken, call } = await signUp(client);
    await client.requestPasswordReset({ email: ` ${email.toUpperCase()}` });
    const token = await mailedToken(service, email, resetSubject);
    const common = client.confirmPasswordReset({ token, newPassword: "password1" });
    expect(fieldsOf(await failureOf(common))).toEqual(["newPassword"]);

    const outcomes = await Promise.all(
      [1, 2, 3].map(() => codeOf(client.confirmPasswordReset({ token, newPassword }))),
    );
    expect(outcomes.filter((code) => code === Status.OK)).toHaveLength(1);
    expect(outcomes.filter((code) => code === Status.INVALID_ARGUMENT)).toHaveLength(2);
    expect((await client.checkSession({ sessionId })).live).toBe(false);
    expect(await codeOf(client.refresh({ refreshToken }))).toBe(Status.UNAUTHENTICATED);
    expect(await codeOf(client.login({ login: username, password }))).toBe(Status.UNAUTHENTICATED);
    expect(await codeOf(client.login({ login: username, password: newPassword }))).toBe(Status.OK);
    // Who has the mail reads the address.
    expect((await client.getMe({}, call)).user?.emailVerified).toBe(true);
    expect(await securityLogOf(postgres, userId)).toContain("password_reset");
    await waitFor(async () => (await mailsTo(service, email))[0]?.subject === "Your password was reset");
  });

  it("answers the same for an address that nobody has, and mails nothing", async () => {
    const { client } = service;
    const { email } = await signUp(client);
    expect(await client.requestPasswordReset({ email: "nobody.at.all@example.com" })).toEqual(
      await client.requestPasswordReset({ email }),
    );
    await mailedToken(service, email, resetSubject);
    const queue = () => service.postgres.query({ name: "test_queue_all", text: "SELECT FROM mail_queue" });
    await waitFor(async () => (await queue()).length === 0);
    expect(await mailsTo(service, "nobody.at.all@example.com")).toEqual([]);
    expect(fieldsOf(await failureOf(client.requestPasswordReset({ email: "no address" })))).toEqual([
      "email",
    ]);
  });

  it("is good for an hour, and for nothing once the password was changed", async () => {
    const { client, clock } = service;
    const { email, call } = await signUp(client);
    await client.requestPasswordReset({ email });
    const first = await mailedToken(service, email, resetSubject);
    await client.changePassword({ currentPassword: password, newPassword }, call);
    expect(await codeOf(client.confirmPasswordReset({ token: first, newPassword }))).toBe(
      Status.INVALID_ARGUMENT,
    );
    await client.requestPasswordReset({ email });
    const second = await mailedToken(service, email, resetSubject, 2);
    clock.advance(hourMs + 1_000);
    expect(await codeOf(client.confirmPasswordReset({ token: second, newPassword }))).toBe(
      Status.INVALID_ARGUMENT,
    );
  });

  it("has its token in the mail alone", async () => {
    const { client, postgres } = service;
    const { email } = await signUp(client);
    await client.requestPasswordReset({ email });
    const token = await mailedToken(service, email, resetSubject);
    const rows = await postgres.query<{ row: string }>({
      name: "test_mail_rows",
      text: "SELECT t::text AS row FROM mail_tokens t UNION ALL SELECT q::text FROM mail_queue q",
    });
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.some(({ row }) => row.includes(token))).toBe(false);
  });
});

describe("the mailbox of development", () => {
  it("is a page without scripts, for this machine alone", async () => {
    const { client } = service;
    const { email } = await signUp(client);
    await mailedToken(service, email, verifySubject);
    const page = await fetch(service.mailboxUrl);
    expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(await page.text()).toContain(email);
    const { port } = new URL(service.mailboxUrl);

    const status = await new Promise((resolve, reject) => {
      request({ port, path: "/mailbox", headers: { host: "rebound.example" } }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      })
        .on("error", reject)
        .end();
    });
    expect(status).toBe(403);
  });
});

/** As much of RFC 5321 as one mail needs; refuses the first. */
async function smtpServer(): Promise<{ url: string; received: string[]; close(): void }> {
  const received: string[] = [];
  let connections = 0;
  const server = createServer((socket) => {
    const isRefused = connections++ === 0;
    let data: string | undefined;
    let pending = "";
    socket.on("error", () => undefined);
    socket.write("220 test\r\n");
    socket.on("data", (chunk) => {
      pending += chunk.toString("utf8");
      for (let end = pending.indexOf("\r\n"); end >= 0; end = pending.indexOf("\r\n")) {
        const line = pending.slice(0, end);
        pending = pending.slice(end + 2);
        if (data !== undefined) {
          if (line === ".") {
            received.push(data);
            data = undefined;
            socket.write("250 taken\r\n");
          } else data += `${line}\n`;
        } else if (line.startsWith("DATA")) {
          data = "";
          socket.write("354 go on\r\n");
        } else if (line.startsWith("QUIT")) socket.end("221 bye\r\n");
        else if (line.startsWith("RCPT")) socket.write(isRefused ? "451 later\r\n" : "250 ok\r\n");
        else socket.write("250 ok\r\n");
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `smtp://127.0.0.1:${port}`, received, close: () => server.close() };
}

describe("SMTP", () => {
  it("gets each mail, again after a failure, with another token", async () => {
    const smtp = await smtpServer();
    try {
      await using own = await startService({
        MAIL_URL: smtp.url,
        MAIL_FROM: "Chirrup <no-reply@chirrup.test>",
      });
      const { email } = await signUp(own.client);
      const failed = async () => {
        const [row] = await own.postgres.query<{ failures: number }>({
          name: "test_failures",
          text: "SELECT failures FROM mail_queue",
        });
        return row?.failures === 1;
      };
      await waitFor(failed, { what: "the first failure" });
      own.clock.advance(20_000);
      await waitFor(() => smtp.received.length === 1, { what: "the mail" });
      expect(smtp.received[0]).toContain(`To: ${email}`);
      expect(smtp.received[0]).toContain("From: Chirrup <no-reply@chirrup.test>");
      const unfolded = (smtp.received[0] ?? "").replaceAll("=\n", "").replaceAll("=3D", "=");
      const token = /#token=([\w-]{43})/.exec(unfolded)?.[1] ?? "";
      expect(await codeOf(own.client.confirmEmailVerification({ token }))).toBe(Status.OK);
    } finally {
      smtp.close();
    }
  });

  it("is required where the process can be reached from elsewhere", async () => {
    const open = startInstance(service.databaseUrl, { env: { HOST: "0.0.0.0" } });
    await expect(open).rejects.toThrow("MAIL_URL");
  });
});
