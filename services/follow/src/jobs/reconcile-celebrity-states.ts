import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "@chirrup/platform";
import type { FollowContext } from "../context.ts";
import { afterCount } from "../domain/celebrity-state.ts";
import { misfits, moveState } from "../store/celebrity-states.ts";
import { endOfStretch, lockFollowers } from "../store/follow-counts.ts";

/** Count rows looked at by one statement: some milliseconds of work. */
const stretchRows = 5_000;
const retryMs = 5_000;

type Reconciled = Pick<FollowContext, "postgres" | "ids" | "thresholds">;

/**
 * Moves every author whose state does not fit the thresholds, as after a restart with other ones; answers
 * how many moved. Reads all counts once.
 *
 * Each author is moved in a transaction of their own that looks again under the lock of their count row,
 * so follows wait for no more than one move, and two instances at once move an author once.
 */
export async function reconcileCelebrityStates(
  { postgres, ids, thresholds }: Reconciled,
  signal: AbortSignal,
): Promise<number> {
  let moved = 0;
  let afterId = 0n;
  while (!signal.aborted) {
    const throughId = await endOfStretch(postgres, { afterId, limit: stretchRows });
    if (throughId === undefined) return moved;
    for (const userId of await misfits(postgres, { afterId, throughId, ...thresholds })) {
      if (signal.aborted) return moved;
      await postgres.transaction(async (tx) => {
        const followers = await lockFollowers(tx, userId);
        await moveState(tx, {
          ids,
          userId,
          traceparent: "",
          decide: ({ state }) => afterCount(state, followers, thresholds),
        });
      });
      moved += 1;
    }
    afterId = throughId;
  }
  return moved;
}

/** Reconciles once, and tries again after a failure until it is done or `signal` says stop. Never rejects. */
export async function reconcileUntilDone(
  context: Reconciled,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const moved = await reconcileCelebrityStates(context, signal);
      log.info({ moved }, "celebrity states fit the thresholds");
      return;
    } catch (error) {
      log.warn({ err: error, retryMs }, "celebrity states could not be reconciled");
      await delay(retryMs, undefined, { signal }).catch(() => undefined);
    }
  }
}
