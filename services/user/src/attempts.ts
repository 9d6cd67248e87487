import type { Call, Postgres, Queryable } from "@chirrup/platform";
import { resourceExhausted } from "@chirrup/platform";
import type { AttemptCount, AttemptPolicy } from "./domain/attempt.ts";
import { attemptKey, attemptSecret } from "./domain/attempt.ts";
import { clientNetwork } from "./domain/client-network.ts";
import { countFailure, delayOf, forgetAttempts } from "./store/attempt.ts";
import { isKnownAddress, rememberAddress } from "./store/known-address.ts";

/** One try at a secret. */
export interface Attempt {
  /**
   * To be asked again when the try's turn comes: others that waited with it may have failed meanwhile.
   *
   * @throws RESOURCE_EXHAUSTED with the time to wait, while a delay lasts.
   */
  check(db?: Queryable): Promise<void>;
  /** The secret was wrong. To be told before the next turn. */
  failed(db?: Queryable): Promise<void>;
  /** The secret was right: all is forgiven. */
  succeeded(): Promise<void>;
}

/**
 * Limits how often a secret may be guessed. Only wrong ones are counted, so that any number of right ones may come at
 * once. Each `begin` checks first. An unknown login is counted as a known one is.
 */
export interface Attempts {
  /**
   * A sign-in.
   *
   * @param login - In its normal form; the form of what is no login does not matter.
   * @param userId - Of the account behind it, if there is one.
   */
  beginSignIn(login: string, userId: bigint | undefined, call: Call): Promise<Attempt>;
  /** A password that is asked for again within a session. */
  beginConfirmation(sessionId: bigint): Promise<Attempt>;
  /** A code of the second factor. Counted as sign-ins are, and for all new addresses together more strictly. */
  beginSecondFactor(userId: bigint, call: Call): Promise<Attempt>;
  /** From this address the account is not slowed, from now on, by what is tried from elsewhere. */
  knowAddress(tx: Queryable, userId: bigint, call: Call): Promise<void>;
}

export function createAttempts(options: {
  postgres: Postgres;
  secret: string;
  policy: AttemptPolicy;
  now: () => Date;
}): Attempts {
  const { postgres, policy, now } = options;
  const secret = attemptSecret(options.secret);
  const keyOf = (kind: string, ...parts: readonly string[]): Buffer => attemptKey(secret, kind, ...parts);

  /** @param own - The count that a success wipes out. */
  async function begin(own: AttemptCount, shared: readonly AttemptCount[] = []): Promise<Attempt> {
    const counts = [own, ...shared];
    const keys = counts.map(({ key }) => key);
    const attempt: Attempt = {
      async check(db = postgres) {
        const delayMs = await delayOf(db, keys, now());
        if (delayMs > 0) throw resourceExhausted("too many attempts", delayMs);
      },
      failed: (db = postgres) => countFailure(db, counts, now()),
      succeeded: () => forgetAttempts(postgres, own.key),
    };
    await attempt.check();
    return attempt;
  }

  const isKnown = (userId: bigint, network: string): Promise<boolean> =>
    isKnownAddress(postgres, userId, keyOf("known address", network));

  return {
    async beginSignIn(login, userId, call) {
      const network = clientNetwork(call.clientAddress);
      const own = { key: keyOf("login", login, network), limit: policy.login };
      if (await isKnown(userId ?? 0n, network)) return begin(own);
      return begin(own, [
        { key: keyOf("login elsewhere", login), limit: policy.loginElsewhere },
        { key: keyOf("address", network), limit: policy.address },
      ]);
    },
    beginConfirmation: (sessionId) =>
      begin({ key: keyOf("session", String(sessionId)), limit: policy.session }),
    async beginSecondFactor(userId, call) {
      const network = clientNetwork(call.clientAddress);
      const own = { key: keyOf("second factor", String(userId), network), limit: policy.login };
      if (await isKnown(userId, network)) return begin(own);
      const elsewhere = keyOf("second factor elsewhere", String(userId));
      return begin(own, [{ key: elsewhere, limit: policy.secondFactorElsewhere }]);
    },
    knowAddress: (tx, userId, call) =>
      rememberAddress(tx, userId, keyOf("known address", clientNetwork(call.clientAddress)), now()),
  };
}
