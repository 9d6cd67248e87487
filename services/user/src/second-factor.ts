import type { Call, Caller, Queryable } from "@chirrup/platform";
import { failedPrecondition } from "@chirrup/platform";
import type { Context } from "./context.ts";
import { seal, unseal } from "./domain/sealing.ts";
import { hashRecoveryCode, matchTotp } from "./domain/totp.ts";
import { note } from "./note.ts";
import {
  lockSecondFactor,
  secondFactorShownAt,
  type StoredSecondFactor,
  useRecoveryCode,
  useStep,
} from "./store/second-factor.ts";

/** For how long after the second factor was shown a session may do what is dangerous. */
const shownForMs = 5 * 60_000;

/** What a try with a code came to: the value of what was done for a right one. */
export type CodeOutcome<T> =
  | { readonly kind: "right"; readonly value: T }
  | { readonly kind: "wrong" }
  /** The account has no second factor in that state. */
  | { readonly kind: "none" };

/**
 * Does `then` when the code is the account's, in the transaction that uses the code up. The codes of one account are
 * tried one after the other, and wrong ones are counted before the next: any number at once gain no more guesses.
 *
 * @param state - "on" takes recovery codes too; "unconfirmed" only a code of the app that is to be confirmed.
 * @throws RESOURCE_EXHAUSTED with the time to wait after wrong codes.
 */
export async function withCode<T>(
  context: Context,
  call: Call,
  options: { userId: bigint; code: string; state: "on" | "unconfirmed" },
  then: (tx: Queryable) => Promise<T>,
): Promise<CodeOutcome<T>> {
  const { postgres, attempts } = context;
  const { userId, code, state } = options;
  const attempt = await attempts.beginSecondFactor(userId, call);
  const outcome = await postgres.transaction(async (tx): Promise<CodeOutcome<T>> => {
    const stored = await lockSecondFactor(tx, userId);
    if (stored === undefined || (stored.confirmedAt !== null) !== (state === "on")) return { kind: "none" };
    await attempt.check(tx);
    if (await useCode(context, tx, call, { userId, code, stored })) {
      return { kind: "right", value: await then(tx) };
    }
    await attempt.failed(tx);
    await note(context, tx, call, "second_factor_failed", { userId, sessionId: call.caller?.sessionId });
    return { kind: "wrong" };
  });
  if (outcome.kind === "right") await attempt.succeeded();
  return outcome;
}

/**
 * @throws FAILED_PRECONDITION, SECOND_FACTOR_REQUIRED, when the caller's account has a second factor that was not shown
 *   in this session lately.
 */
export async function requireSecondFactor(
  { postgres, now }: Pick<Context, "postgres" | "now">,
  { userId, sessionId }: Caller,
): Promise<void> {
  const factor = await secondFactorShownAt(postgres, userId, sessionId);
  if (factor === undefined) return;
  const shownMs = factor.shownAt?.getTime() ?? -Infinity;
  if (now().getTime() - shownMs > shownForMs) {
    throw failedPrecondition(
      secondFactorRequired,
      "show the second factor first, at /api/v1/me/second-factor:show",
    );
  }
}

/** The reason in an ErrorInfo. */
export const secondFactorRequired = "SECOND_FACTOR_REQUIRED";

export function sealTotpSecret(
  { sealWith }: Pick<Context, "sealWith">,
  userId: bigint,
  secret: Buffer,
): Buffer {
  return seal(secret, String(userId), sealWith);
}

async function useCode(
  context: Context,
  tx: Queryable,
  call: Call,
  { userId, code, stored }: { userId: bigint; code: string; stored: StoredSecondFactor },
): Promise<boolean> {
  const secret = unseal(stored.sealedSecret, String(userId), context.sealWith);
  const step = matchTotp(secret, code, context.now(), {
    lastStep: stored.lastStep,
    driftSteps: context.secondFactorDriftSteps,
  });
  if (step !== undefined) {
    await useStep(tx, userId, step);
    return true;
  }
  const hash = stored.confirmedAt === null ? undefined : hashRecoveryCode(code);
  if (hash === undefined || !(await useRecoveryCode(tx, userId, hash))) return false;
  await note(context, tx, call, "recovery_code_used", { userId, sessionId: call.caller?.sessionId });
  return true;
}
