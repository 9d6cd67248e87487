import { type Logger, peerCallOptions } from "@chirrup/platform";
import type { FollowClient } from "../clients/follow.ts";
import type { Clock } from "../domain/clock.ts";

export interface CelebritiesContext {
  readonly follows: FollowClient;
  readonly clock: Clock;
  readonly log: Logger;
  /** Aborted when the process stops. */
  readonly signal: AbortSignal;
}

/** Authors who are not *normal*, as this process knows them: their outboxes are merged when a page is made. */
export interface Celebrities {
  /**
   * All of them as they were at most `maxAgeMs` ago, or more. Asks the follow service once in `refreshMs` behind the
   * pages' backs; a page waits only when what is kept is too old. Rejects when it cannot be had.
   */
  current(): Promise<ReadonlySet<bigint>>;
}

/** How old the authors may be. */
const maxAgeMs = 3_000;
/** How old they are when they are asked for again. */
const refreshMs = 1_000;
/**
 * How long *rising* lasts at least after it was committed: longer than any process holds an older set, so that
 * nobody believes an author normal whose posts are pushed no longer. No setting, so that all processes agree.
 */
export const outlastMs = 4_000;

const timeoutMs = 2_000;

/** The authors of one process. */
export function createCelebrities({ follows, clock, log, signal }: CelebritiesContext): Celebrities {
  let kept: { authors: ReadonlySet<bigint>; version: bigint; askedAtMs: number } | undefined;
  let asking: Promise<void> | undefined;

  async function ask(): Promise<void> {
    // The age counts from before the question: the answer may have been read at once and come late.
    const askedAtMs = clock.nowMs();
    const options = peerCallOptions({ signal, timeoutMs });
    const { version, authorIds } = await follows.listCelebrities(kept?.version ?? 0n, options);
    const authors = version === kept?.version ? kept.authors : new Set(authorIds);
    kept = { authors, version, askedAtMs };
  }

  return {
    async current() {
      const ageMs = kept === undefined ? Infinity : clock.nowMs() - kept.askedAtMs;
      if (ageMs >= refreshMs && asking === undefined) {
        asking = ask().finally(() => (asking = undefined));
        asking.catch((error: unknown) => log.warn({ err: error }, "celebrities cannot be had"));
      }
      if (kept !== undefined && ageMs < maxAgeMs) return kept.authors;
      await asking;
      if (kept === undefined || clock.nowMs() - kept.askedAtMs >= maxAgeMs) {
        throw new Error("the celebrities came too late to be true");
      }
      return kept.authors;
    },
  };
}
