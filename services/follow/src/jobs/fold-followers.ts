import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "@chirrup/platform";
import type { FollowContext } from "../context.ts";
import { afterCount } from "../domain/celebrity-state.ts";
import { moveState } from "../store/celebrity-states.ts";
import { lockFollowers } from "../store/follow-counts.ts";
import { claimFold, foldDeltas } from "../store/follower-deltas.ts";

/** Changes that one transaction folds in: some tens of milliseconds of work. */
const deltasAtOnce = 5_000;
const everyMs = 1_000;

type Folding = Pick<FollowContext, "postgres" | "ids" | "thresholds">;

/**
 * Folds the changes of numbers of followers that are there into the counts, and moves the celebrity state of
 * those who have met a threshold; answers how many changes it folded. Any instance may do it at any time, and
 * one that dies in the middle has done nothing.
 *
 * *Why states move here*: a follow does not know how many others are under way, and a state need not move at
 * once, because both sides of each change show readers the same. Here the count row is locked, so an author's
 * changes come one after another.
 */
export async function foldFollowers(
  { postgres, ids, thresholds }: Folding,
  signal: AbortSignal,
): Promise<number> {
  let total = 0;
  while (!signal.aborted) {
    const folded = await postgres.transaction(async (tx) => {
      if (!(await claimFold(tx))) return 0;
      const { deltas, misfits } = await foldDeltas(tx, { limit: deltasAtOnce, ...thresholds });
      for (const userId of misfits) {
        const followers = await lockFollowers(tx, userId);
        await moveState(tx, {
          ids,
          userId,
          traceparent: "",
          decide: ({ state }) => afterCount(state, followers, thresholds),
        });
      }
      return Number(deltas);
    });
    total += folded;
    if (folded < deltasAtOnce) break;
  }
  return total;
}

/** Folds once a second until `signal` says stop. Never rejects. */
export async function foldUntilStopped(context: Folding, log: Logger, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await foldFollowers(context, signal);
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error }, "numbers of followers were not folded; trying again");
    }
    await delay(everyMs, undefined, { signal, ref: false }).catch(() => undefined);
  }
}
