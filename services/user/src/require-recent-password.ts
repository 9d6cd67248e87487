import type { Caller } from "@chirrup/platform";
import { failedPrecondition } from "@chirrup/platform";
import type { Context } from "./context.ts";
import { passwordShownAt } from "./store/session.ts";

/** For how long after the password was shown a session may do what is dangerous. */
const shownForMs = 5 * 60_000;

/**
 * Whoever holds a stolen token does not hold the password. For what comes with no field for it.
 *
 * @throws FAILED_PRECONDITION, PASSWORD_REQUIRED, when the password was not shown in this session lately.
 */
export async function requireRecentPassword(
  { postgres, now }: Pick<Context, "postgres" | "now">,
  { userId, sessionId }: Caller,
): Promise<void> {
  const shownAt = await passwordShownAt(postgres, userId, sessionId);
  if (shownAt === undefined || now().getTime() - shownAt.getTime() > shownForMs) {
    throw failedPrecondition("PASSWORD_REQUIRED", "show the password first, at /api/v1/me/password:show");
  }
}
