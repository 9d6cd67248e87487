import { Status } from "@chirrup/grpc";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { totpCode, totpStep } from "../src/domain/totp.ts";
import type { Service, SignedIn } from "./user-service.ts";
import {
  as,
  codeOf,
  failureOf,
  from,
  infoOf,
  mailedToken,
  password,
  securityLogOf,
  sessionOf,
  signUp,
  startInstance,
  startService,
} from "./user-service.ts";

const newPassword = "quite another phrase";

let service: Service;
beforeAll(async () => {
  // A busy machine may take longer than a code lives.
  service = await startService({ SIGN_IN_FREE_ATTEMPTS: "3", SECOND_FACTOR_DRIFT_STEPS: "1" });
});
afterAll(() => service[Symbol.asyncDispose]());

interface Protected extends SignedIn {
  readonly recoveryCodes: readonly string[];
  /** A code that has not been taken. */
  code(): string;
}

function fromBase32(text: string): Buffer {
  let bits = "";
  for (const sign of text)
    bits += "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(sign).toString(2).padStart(5, "0");
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}

/** An account with its second factor on. */
async function protect(): Promise<Protected> {
  const { client, clock } = service;
  const user = await signUp(client);
  const { secret, uri } = await client.enrolSecondFactor({ currentPassword: password }, user.call);
  expect(uri).toBe(`otpauth://totp/Chirrup:${user.username}?secret=${secret}&issuer=Chirrup`);
  const key = fromBase32(secret);
  const code = () => {
    // Every code once: the next is of a step that has not been.
    clock.advance(30_000);
    return totpCode(key, totpStep(clock.now()));
  };
  const { recoveryCodes } = await client.confirmSecondFactor({ code: code() }, user.call);
  expect(recoveryCodes).toHaveLength(10);
  return { ...user, recoveryCodes, code };
}

async function challengeOf(user: SignedIn, secret = password): Promise<string> {
  const error = await failureOf(service.client.login({ login: user.username, password: secret }));
  expect(error.code).toBe(Status.FAILED_PRECONDITION);
  expect(infoOf(error)?.reason).toBe("SECOND_FACTOR_REQUIRED");
  return infoOf(error)?.metadata["challenge"] ?? "";
}

describe("enrolment", () => {
  it("takes the password and a right code, and only then asks for the second factor", async () => {
    const { client } = service;
    const user = await signUp(client);
    const denied = client.enrolSecondFactor({ currentPassword: "wrong" }, user.call);
    expect(await codeOf(denied)).toBe(Status.PERMISSION_DENIED);
    const early = client.confirmSecondFactor({ code: "123456" }, user.call);
    expect(infoOf(await failureOf(early))?.reason).toBe("SECOND_FACTOR_NOT_ENROLLED");
    await client.enrolSecondFactor({ currentPassword: password }, user.call);
    expect(await codeOf(client.confirmSecondFactor({ code: "" }, user.call))).toBe(Status.PERMISSION_DENIED);
    expect(await codeOf(client.login({ login: user.username, password }))).toBe(Status.OK);
    expect((await client.getMe({}, user.call)).user?.secondFactor).toBe(false);
  });

  it("cannot be done over while one is on", async () => {
    const { client } = service;
    const user = await protect();
    expect((await client.getMe({}, user.call)).user?.secondFactor).toBe(true);
    const again = client.enrolSecondFactor({ currentPassword: password }, user.call);
    expect(infoOf(await failureOf(again))?.reason).toBe("SECOND_FACTOR_ON");
    const other = client.confirmSecondFactor({ code: user.code() }, user.call);
    expect(infoOf(await failureOf(other))?.reason).toBe("SECOND_FACTOR_NOT_ENROLLED");
  });

  it("leaves neither the secret nor a recovery code in the database", async () => {
    const { client, postgres } = service;
    const user = await signUp(client);
    const { secret } = await client.enrolSecondFactor({ currentPassword: password }, user.call);
    const [row] = await postgres.query<{ sealed: Buffer }>({
      name: "test_sealed_factor",
      text: "SELECT sealed_secret AS sealed FROM second_factors WHERE user_id = $1",
      values: [user.userId],
    });
    expect(row?.sealed.includes(fromBase32(secret))).toBe(false);
  });
});

describe("a sign-in", () => {
  it("opens a session for a challenge and a code, each once", async () => {
    const { client } = service;
    const user = await protect();
    const challenge = await challengeOf(user);
    const code = user.code();
    const answer = await client.completeLogin({ challenge, code });
    expect(answer.user).toMatchObject({ id: user.userId, secondFactor: true });
    expect((await client.checkSession({ sessionId: sessionOf(answer.accessToken) })).live).toBe(true);
    expect(await codeOf(client.completeLogin({ challenge, code: user.code() }))).toBe(Status.UNAUTHENTICATED);
    const next = await challengeOf(user);
    expect(await codeOf(client.completeLogin({ challenge: next, code }))).toBe(Status.UNAUTHENTICATED);
  });

  it("takes no code of the 30 seconds before, unless it is set to", async () => {
    const { client, clock, databaseUrl } = service;
    await using strict = await startInstance(databaseUrl, { now: clock.now });
    const user = await protect();
    const challenge = await challengeOf(user);
    const code = user.code();
    clock.advance(30_000);
    expect(await codeOf(strict.client.completeLogin({ challenge, code }))).toBe(Status.UNAUTHENTICATED);
    expect(await codeOf(client.completeLogin({ challenge, code }))).toBe(Status.OK);
  });

  it("takes a recovery code, once", async () => {
    const { client, postgres } = service;
    const user = await protect();
    const code = user.recoveryCodes[3]?.toUpperCase() ?? "";
    expect(await codeOf(client.completeLogin({ challenge: await challengeOf(user), code }))).toBe(Status.OK);
    expect(await codeOf(client.completeLogin({ challenge: await challengeOf(user), code }))).toBe(
      Status.UNAUTHENTICATED,
    );
    expect(await securityLogOf(postgres, user.userId)).toContain("recovery_code_used");
  });

  it("of many at once with one challenge and one code opens one session", async () => {
    const { client } = service;
    const user = await protect();
    const challenge = await challengeOf(user);
    const code = user.code();
    const codes = await Promise.all(
      Array.from({ length: 8 }, () => codeOf(client.completeLogin({ challenge, code }))),
    );
    expect(codes.filter((outcome) => outcome === Status.OK)).toHaveLength(1);
  });

  it("is over after five minutes, or when the password changes", async () => {
    const { client, clock } = service;
    const user = await protect();
    const late = await challengeOf(user);
    clock.advance(301_000);
    expect(await codeOf(client.completeLogin({ challenge: late, code: user.code() }))).toBe(
      Status.UNAUTHENTICATED,
    );
    const challenge = await challengeOf(user);
    await client.showSecondFactor({ code: user.code() }, user.call);
    await client.changePassword({ currentPassword: password, newPassword }, user.call);
    expect(await codeOf(client.completeLogin({ challenge, code: user.code() }))).toBe(Status.UNAUTHENTICATED);
  });

  it("slows guesses down, any number at once, and not the owner at a known address", async () => {
    const { client } = service;
    const user = await protect();
    await client.completeLogin({ challenge: await challengeOf(user), code: user.code() }, from("192.0.2.1"));
    const challenge = await challengeOf(user);
    const guesses = await Promise.all(
      Array.from({ length: 20 }, () =>
        codeOf(client.completeLogin({ challenge, code: "000000" }, from("198.51.100.9"))),
      ),
    );
    expect(guesses.filter((outcome) => outcome === Status.UNAUTHENTICATED)).toHaveLength(3);
    expect(guesses.filter((outcome) => outcome === Status.RESOURCE_EXHAUSTED)).toHaveLength(17);
    const owner = client.completeLogin({ challenge, code: user.code() }, from("192.0.2.1"));
    expect(await codeOf(owner)).toBe(Status.OK);
  });
});

describe("what is dangerous", () => {
  it("asks for the second factor again, for five minutes and this session", async () => {
    const { client, clock } = service;
    const user = await protect();
    const attempts = (call: SignedIn["call"]) => [
      client.changePassword({ currentPassword: password, newPassword }, call),
      client.changeEmail({ email: "elsewhere@example.com", currentPassword: password }, call),
      client.disableSecondFactor({}, call),
      client.deleteMe({}, call),
    ];
    clock.advance(301_000);
    const errors = await Promise.all(attempts(user.call).map(failureOf));
    expect(errors.map((error) => infoOf(error)?.reason)).toEqual(errors.map(() => "SECOND_FACTOR_REQUIRED"));

    expect(await codeOf(client.showSecondFactor({ code: "junk" }, user.call))).toBe(Status.PERMISSION_DENIED);
    await client.showSecondFactor({ code: user.code() }, user.call);
    const other = as(user.userId, 1n);
    expect(infoOf(await failureOf(client.deleteMe({}, other)))?.reason).toBe("SECOND_FACTOR_REQUIRED");
    await client.changePassword({ currentPassword: password, newPassword }, user.call);
    await client.disableSecondFactor({}, user.call);
    expect(await codeOf(client.login({ login: user.username, password: newPassword }))).toBe(Status.OK);
    expect(await codeOf(client.deleteMe({}, user.call))).toBe(Status.OK);
  });

  it("is not got around by a reset of the password", async () => {
    const { client } = service;
    const user = await protect();
    await client.requestPasswordReset({ email: user.email });
    const token = await mailedToken(service, user.email, "Set a new password");
    await client.confirmPasswordReset({ token, newPassword });
    expect(await challengeOf(user, newPassword)).not.toBe("");
  });
});
