import { create, toBinary } from "@bufbuild/protobuf";
import { GrpcError, Status } from "@chirrup/grpc";
import type { Call, Queryable } from "@chirrup/platform";
import { errorDomain, unauthenticated } from "@chirrup/platform";
import { ErrorInfoSchema } from "@chirrup/proto/google/rpc/error_details";
import type { Context, Rpc } from "../context.ts";
import type { Login } from "../domain/login.ts";
import { readLogin } from "../domain/login.ts";
import { hashToken, mintToken } from "../domain/one-time-token.ts";
import { presentedPassword } from "../domain/password.ts";
import { allValid, checkPresent } from "../domain/validation.ts";
import { note } from "../note.ts";
import { presentAccount } from "../present.ts";
import { secondFactorRequired } from "../second-factor.ts";
import { startSession } from "../start-session.ts";
import type { Credential } from "../store/credential.ts";
import {
  findCredentialByEmail,
  findCredentialByUsername,
  holdCredential,
  rehashPassword,
} from "../store/credential.ts";
import { insertChallenge } from "../store/sign-in-challenge.ts";

/** How long a sign-in waits for its second factor. */
const challengeTtlMs = 5 * 60_000;

/** Opens a session for who knows the password. An unknown login takes the same time as a wrong password. */
export function login(context: Context): Rpc["login"] {
  const { postgres, strangers, hasher, attempts, tokens } = context;

  /** The credential that the password proves. */
  async function prove(wanted: Login, password: string | undefined, call: Call): Promise<Credential> {
    const credential = await findCredential(strangers, wanted);
    const attempt = await attempts.beginSignIn(wanted.normalForm, credential?.account.id, call);
    const isRight = await hasher.verify(credential?.passwordHash, password, attempt, call.signal);
    if (!isRight || credential === undefined) {
      await note(context, strangers, call, "sign_in_failed", { userId: credential?.account.id });
      throw refused();
    }
    await attempt.succeeded();
    return credential;
  }

  async function rehash({ account, version }: Credential, password: string): Promise<void> {
    await rehashPassword(postgres, account.id, version, await hasher.hash(password));
  }

  return async (request, call) => {
    allValid({ login: checkPresent(request.login), password: checkPresent(request.password) });
    using _ = hasher.admit();
    const password = presentedPassword(request.password);
    const credential = await prove(readLogin(request.login), password, call);

    const { account, version, passwordHash } = credential;
    if (account.secondFactor) throw await challenged(context, credential);
    const session = await postgres.transaction(async (tx) => {
      if (!(await holdCredential(tx, account.id, version))) return undefined;
      return startSession(context, tx, account.id, call);
    });
    if (session === undefined) throw refused();
    if (hasher.isOutdated(passwordHash)) {
      // Left to the next sign-in when the line is full: this one has succeeded.
      await rehash(credential, password ?? "").catch((error: unknown) =>
        call.log.warn({ err: error }, "a password was not hashed anew"),
      );
    }
    return { user: presentAccount(account), ...(await tokens(session)) };
  };
}

async function findCredential(db: Queryable, login: Login): Promise<Credential | undefined> {
  switch (login.kind) {
    case "username":
      return findCredentialByUsername(db, login.normalForm);
    case "email":
      return findCredentialByEmail(db, login.normalForm);
    case "none":
      return undefined;
  }
}

/** The refusal of a right password that is not enough, with the challenge that the second factor answers. */
async function challenged({ postgres, now }: Context, { account, version }: Credential): Promise<Error> {
  const challenge = mintToken();
  const tokenHash = hashToken(challenge);
  if (tokenHash === undefined) throw new Error("a token that is none");
  const expiresAt = new Date(now().getTime() + challengeTtlMs);
  await insertChallenge(postgres, { tokenHash, userId: account.id, version, expiresAt });
  const info = { reason: secondFactorRequired, domain: errorDomain, metadata: { challenge } };
  return new GrpcError(Status.FAILED_PRECONDITION, "a second factor is required", {
    details: [
      {
        typeUrl: `type.googleapis.com/${ErrorInfoSchema.typeName}`,
        value: toBinary(ErrorInfoSchema, create(ErrorInfoSchema, info)),
      },
    ],
  });
}

function refused(): Error {
  return unauthenticated("the login or the password is wrong");
}
