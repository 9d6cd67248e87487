import type { Call, Queryable } from "@chirrup/platform";
import { unauthenticated } from "@chirrup/platform";
import type { Context, Rpc } from "../context.ts";
import type { Login } from "../domain/login.ts";
import { readLogin } from "../domain/login.ts";
import { presentedPassword } from "../domain/password.ts";
import { allValid, checkPresent } from "../domain/validation.ts";
import { note } from "../note.ts";
import { openSession } from "../open-session.ts";
import { tooManyAtOnce } from "../password-hasher.ts";
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
  const { postgres, hasher, attempts, tokens } = context;

  /** The credential that the password proves. */
  async function prove(wanted: Login, password: string | undefined, call: Call): Promise<Credential> {
    const credential = await findCredential(postgres, wanted);
    const attempt = await attempts.beginSignIn(wanted.normalForm, credential?.account.id, call);
    const isRight = await hasher.verify(credential?.passwordHash, password, attempt, call.signal);
    if (!isRight || credential === undefined) {
      await note(context, postgres, call, "sign_in_failed", { userId: credential?.account.id });
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
    // A flood is turned away here, before it has cost the database anything.
    if (hasher.isFull()) throw tooManyAtOnce();
    const password = presentedPassword(request.password);
    const credential = await prove(readLogin(request.login), password, call);

    const { account, version, passwordHash } = credential;
    const session = await postgres.transaction(async (tx) => {
      if (!(await holdCredential(tx, account.id, version))) return undefined;
      await attempts.knowAddress(tx, account.id, call);
      const opened = await openSession(context, tx, account.id, call);
      await note(context, tx, call, "signed_in", opened);
      return opened;
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

function refused(): Error {
  return unauthenticated("the login or the password is wrong");
}
