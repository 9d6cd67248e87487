import { Status } from "@chirrup/grpc";
import type { Queryable } from "@chirrup/platform";
import { alreadyExists, DomainError, unavailable } from "@chirrup/platform";
import { announce } from "../announce.ts";
import type { Context, Rpc } from "../context.ts";
import type { Account } from "../domain/account.ts";
import { checkEmail } from "../domain/email.ts";
import { checkNewPassword } from "../domain/password.ts";
import { checkNewUsername } from "../domain/username.ts";
import { allValid } from "../domain/validation.ts";
import { note } from "../note.ts";
import { openSession } from "../open-session.ts";
import { presentAccount } from "../present.ts";
import { insertAccount, takenFields } from "../store/account.ts";
import { queueMail } from "../store/mail.ts";
import { insertCredential } from "../store/credential.ts";

/**
 * Makes an account, announces it and signs it in, in one transaction.
 *
 * An Idempotency-Key is not kept: the answer holds tokens, and those are stored nowhere. Who lost the
 * answer signs in.
 */
export function register(context: Context): Rpc["register"] {
  const { postgres, strangers, ids, hasher, commonPasswords, refuseBreached, attempts, tokens, now } =
    context;
  return async (request, call) => {
    const { username, email, password } = allValid({
      username: checkNewUsername(request.username),
      email: checkEmail(request.email),
      password: checkNewPassword(request.password, {
        common: commonPasswords,
        names: [request.username, request.email],
      }),
    });
    using _ = hasher.admit();
    // Asked before the costly hash; that no other took them since is told by the insert.
    await refuseTaken(strangers, username, email);
    await refuseBreached("password", password);
    const passwordHash = await hasher.hash(password, call.signal);

    const account: Account = {
      id: ids.next(),
      username,
      email,
      displayName: username,
      bio: "",
      emailVerified: false,
      secondFactor: false,
    };
    const session = await postgres.transaction(async (tx) => {
      if (!(await insertAccount(tx, account))) return undefined;
      await insertCredential(tx, account.id, passwordHash);
      await announce(context, tx, call, account.id, {
        case: "userRegistered",
        value: { userId: account.id },
      });
      await queueMail(tx, { kind: "verify_email", email, userId: account.id }, now());
      await attempts.knowAddress(tx, account.id, call);
      const opened = await openSession(context, tx, account.id, call);
      await note(context, tx, call, "account_registered", opened);
      return opened;
    });
    if (session === undefined) {
      await refuseTaken(postgres, username, email);
      throw unavailable("the name was taken and freed meanwhile", 100);
    }
    return { user: presentAccount(account), ...(await tokens(session)) };
  };
}

async function refuseTaken(db: Queryable, username: string, email: string): Promise<void> {
  const taken = await takenFields(db, { username, email });
  const violations = (["username", "email"] as const)
    .filter((field) => taken[field])
    .map((field) => ({ field, description: "is taken" }));
  const [first, second] = violations;
  if (first === undefined) return;
  if (second === undefined) throw alreadyExists(first.field, first.description);
  throw new DomainError(
    Status.ALREADY_EXISTS,
    "USERNAME_AND_EMAIL_TAKEN",
    "username: is taken; email: is taken",
    { violations },
  );
}
