import type { Queryable } from "@chirrup/platform";
import { unauthenticated } from "@chirrup/platform";
import type { Context, Rpc } from "../context.ts";
import { checkEmail } from "../domain/email.ts";
import { presentedPassword } from "../domain/password.ts";
import { checkUsername } from "../domain/username.ts";
import { allValid, checkPresent } from "../domain/validation.ts";
import { openSession } from "../open-session.ts";
import { presentAccount } from "../present.ts";
import type { Credential } from "../store/credential.ts";
import {
  findCredentialByEmail,
  findCredentialByUsername,
  holdCredential,
  rehashPassword,
} from "../store/credential.ts";

/** Opens a session for who knows the password. An unknown login takes the same time as a wrong password. */
export function login(context: Context): Rpc["login"] {
  const { postgres, hasher, tokens } = context;

  async function rehash(userId: bigint, version: number, password: string): Promise<void> {
    await rehashPassword(postgres, userId, version, await hasher.hash(password));
  }

  return async (request, call) => {
    allValid({ login: checkPresent(request.login), password: checkPresent(request.password) });
    const password = presentedPassword(request.password);
    const credential = await findCredential(postgres, request.login);
    const proven = await hasher.verify(credential?.passwordHash, password, call.signal);
    if (!proven || credential === undefined || password === undefined) throw refused();

    const { account, version, passwordHash } = credential;
    const session = await postgres.transaction(async (tx) =>
      (await holdCredential(tx, account.id, version))
        ? openSession(context, tx, account.id, call)
        : undefined,
    );
    if (session === undefined) throw refused();
    if (hasher.isOutdated(passwordHash)) {
      // Left to the next sign-in when the line is full: this one has succeeded.
      await rehash(account.id, version, password).catch((error: unknown) =>
        call.log.warn({ err: error }, "a password was not hashed anew"),
      );
    }
    return { user: presentAccount(account), ...(await tokens(session)) };
  };
}

/** A username holds no "@" and an address does, so a login is one or the other. */
async function findCredential(db: Queryable, login: string): Promise<Credential | undefined> {
  const username = checkUsername(login);
  if ("value" in username) return findCredentialByUsername(db, username.value);
  const email = checkEmail(login);
  return "value" in email ? findCredentialByEmail(db, email.value) : undefined;
}

function refused(): Error {
  return unauthenticated("the login or the password is wrong");
}
