import type { ApiAnswer, ApiRequest } from "../api/client.ts";
import type { SeedAccount } from "../seed/accounts.ts";
import type { Outcome } from "./ledger.ts";

const answersWithinMs = 5_000;
const repeatsForMs = 20_000;
const pauseMs = 200;

export interface Asked {
  readonly outcome: Outcome;
  /** An attempt had no answer, or one that does not tell whether it was done. */
  readonly unsure: boolean;
  readonly answer: ApiAnswer | undefined;
}

/**
 * Asks for a write. With `repeat` it is asked for again while it is not known to be done: only right for a
 * write that twice is once.
 */
export async function ask(
  account: SeedAccount,
  request: Omit<ApiRequest, "token">,
  repeat: boolean,
): Promise<Asked> {
  const until = performance.now() + repeatsForMs;
  let unsure = false;
  for (;;) {
    let answer: ApiAnswer | undefined;
    try {
      answer = await account.attempt(request, answersWithinMs);
    } catch {
      // No answer: the connection broke, or nobody listens.
    }
    const status = answer?.status ?? 0;
    if (status >= 200 && status < 300) return { outcome: "acknowledged", unsure, answer };
    if (status === 429) {
      await new Promise((resolve) => setTimeout(resolve, answer?.retryAfterMs ?? pauseMs));
      continue;
    }
    if (status >= 400 && status < 500) {
      // After an attempt that may have been done, "not found" may mean that it was.
      return { outcome: unsure ? "ambiguous" : "refused", unsure, answer };
    }
    unsure = true;
    if (!repeat || performance.now() > until) return { outcome: "ambiguous", unsure, answer };
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
