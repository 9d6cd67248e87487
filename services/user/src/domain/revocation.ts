/** A session whose access tokens are no longer good. */
export interface Revocation {
  /** Its place in commit order, from 1, without gaps. */
  readonly revision: bigint;
  readonly sessionId: bigint;
  readonly forgetAt: Date;
}

/** Covers clocks that differ and the moment between a refresh's commit and its signature. */
const marginMs = 60_000;

/** When no access token that was signed before `now` can be good any more. */
export function forgetAt(now: Date, accessTokenTtlS: number): Date {
  return new Date(now.getTime() + accessTokenTtlS * 1000 + marginMs);
}
