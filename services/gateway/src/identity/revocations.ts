import { timestampMs } from "@bufbuild/protobuf/wkt";
import { Metadata, type Cancellation, type Client } from "@chirrup/grpc";
import { metadataKeys, type Logger } from "@chirrup/platform";
import { pause } from "../pause.ts";
import type { UserService } from "@chirrup/proto/chirrup/user/v1/user_service";

/** Which sessions have ended although their access tokens have not expired. */
export interface Revocations {
  /** Whether the session is live, as far as memory knows; undefined while the stream is silent. */
  isKnownLive(sessionId: string): boolean | undefined;
  /** Asks the user service. Rejects when that fails: then nobody is let in on an old answer. */
  check(
    sessionId: string,
    call: { readonly signal: Cancellation; readonly requestId: string },
  ): Promise<boolean>;
  /** Whether the first snapshot has come. */
  hasSnapshot(): boolean;
  close(): void;
}

export interface RevocationOptions {
  readonly users: Pick<Client<typeof UserService>, "watchRevocations" | "checkSession">;
  readonly log: Logger;
  /** A stream that is silent for longer is not believed; its heartbeat comes every 250 ms. Default: 1,000. */
  readonly maxSilenceMs?: number;
  /** Default: 1,000. */
  readonly checkTimeoutMs?: number;
}

const firstBackoffMs = 50;
const maxBackoffMs = 2_000;
const forgetEveryMs = 60_000;
/** For clocks of gateways that are behind the user service's. */
const forgetMarginMs = 60_000;

/**
 * Watches the user service's revocations for as long as the process runs.
 *
 * Every connection asks for the snapshot anew (ten minutes of revocations): so whatever was missed in between is
 * healed, and no revision of another database is ever resumed. What was known before stays known meanwhile.
 */
export function watchRevocations(options: RevocationOptions): Revocations {
  const { users, log, maxSilenceMs = 1_000, checkTimeoutMs = 1_000 } = options;
  /** Session id → when it can be forgotten, in milliseconds since the epoch. */
  const revoked = new Map<string, number>();
  const stop = new AbortController();
  let caughtUp = false;
  let snapshotCame = false;
  let heardAt = Number.NEGATIVE_INFINITY;

  const isFresh = (): boolean => caughtUp && performance.now() - heardAt <= maxSilenceMs;

  const listen = async (onMessage: () => void): Promise<void> => {
    // A stream that stays silent is given up, since the connection under it may be gone without a word.
    const silence = new AbortController();
    let timer = setTimeout(() => silence.abort(), 5 * maxSilenceMs);
    try {
      const signal = AbortSignal.any([stop.signal, silence.signal]);
      for await (const message of users.watchRevocations({ afterRevision: 0n }, { signal })) {
        for (const { sessionId, forgetAt } of message.revoked) {
          revoked.set(
            String(sessionId),
            forgetAt === undefined ? Number.POSITIVE_INFINITY : timestampMs(forgetAt),
          );
        }
        caughtUp = message.caughtUp;
        snapshotCame ||= caughtUp;
        heardAt = performance.now();
        onMessage();
        clearTimeout(timer);
        timer = setTimeout(() => silence.abort(), 5 * maxSilenceMs);
      }
    } finally {
      clearTimeout(timer);
      caughtUp = false;
    }
  };

  const run = async (): Promise<void> => {
    let backoffMs = firstBackoffMs;
    let isBroken = false;
    while (!stop.signal.aborted) {
      try {
        await listen(() => {
          if (isBroken) log.info("the stream of revocations is back");
          isBroken = false;
          backoffMs = firstBackoffMs;
        });
      } catch (error) {
        // Once an outage: it is tried again within seconds.
        if (!stop.signal.aborted && !isBroken) log.warn({ err: error }, "the stream of revocations broke");
        isBroken = true;
      }
      await pause(backoffMs * (0.5 + Math.random() / 2), stop.signal);
      backoffMs = Math.min(2 * backoffMs, maxBackoffMs);
    }
  };
  void run();

  const forgetting = setInterval(() => {
    const now = Date.now();
    for (const [sessionId, forgetAtMs] of revoked)
      if (forgetAtMs + forgetMarginMs < now) revoked.delete(sessionId);
  }, forgetEveryMs);
  forgetting.unref();

  return {
    hasSnapshot: () => snapshotCame,
    isKnownLive(sessionId) {
      if (revoked.has(sessionId)) return false;
      return isFresh() ? true : undefined;
    },
    async check(sessionId, { signal, requestId }) {
      const { live } = await users.checkSession(
        { sessionId: BigInt(sessionId) },
        {
          signal,
          timeoutMs: checkTimeoutMs,
          metadata: Metadata.from({ [metadataKeys.requestId]: requestId }),
        },
      );
      return live;
    },
    close() {
      clearInterval(forgetting);
      stop.abort();
    },
  };
}
