const refusals = [
  "sign_in_failed",
  "password_confirmation_failed",
  "second_factor_failed",
  "refresh_token_replayed",
] as const;

const changes = [
  "account_registered",
  "signed_in",
  "session_ended",
  "sessions_ended",
  "sessions_ended_by_operator",
  "password_shown",
  "password_changed",
  "password_reset_asked",
  "password_reset",
  "email_verified",
  "email_change_asked",
  "email_changed",
  "second_factor_enabled",
  "second_factor_disabled",
  "second_factor_shown",
  "recovery_code_used",
  "account_deleted",
  "signing_key_rotated",
  "signing_key_retired",
] as const;

/** What happened. */
export type SecurityEventKind = (typeof refusals)[number] | (typeof changes)[number];

/** One line of the security log. It has no password, token or code, and no login, which may be one. */
export interface SecurityEvent {
  readonly at: Date;
  readonly kind: SecurityEventKind;
  /** Undefined when it concerns no account, or none that exists. */
  readonly userId?: bigint | undefined;
  readonly sessionId?: bigint | undefined;
  /** The client's; empty when the platform itself did it. */
  readonly address: string;
  readonly userAgent: string;
}

export function isRefusal(kind: SecurityEventKind): boolean {
  return refusals.some((refusal) => refusal === kind);
}
