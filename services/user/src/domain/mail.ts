/** A mail as it is sent. */
export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

/** Mails that carry a token, which proves that its bearer reads the address. */
export type TokenMailKind = "verify_email" | "reset_password";

/** Mails that tell an owner what was done to the account. */
export type NoticeKind =
  | "email_changed"
  | "password_changed"
  | "password_reset"
  | "second_factor_enabled"
  | "second_factor_disabled";

export type MailKind = TokenMailKind | NoticeKind;

/** How long a mailed token is good. */
export const tokenTtlMs: Readonly<Record<TokenMailKind, number>> = {
  verify_email: 24 * 3_600_000,
  reset_password: 3_600_000,
};

/** So many live tokens of one kind an account can have: others can ask for mails to it, and must not fill its mailbox. */
export const maxLiveTokens = 5;

/** How long a mail that cannot be delivered is tried again, and how long after each failure. */
export const giveUpAfterMs: number = 24 * 3_600_000;
export function retryDelayMs(failures: number): number {
  return Math.min(10_000 * 2 ** Math.min(failures, 8), 3_600_000);
}

export function isTokenMail(kind: MailKind): kind is TokenMailKind {
  return kind === "verify_email" || kind === "reset_password";
}

/**
 * @param publicUrl - Where the web client is, with no slash at its end. The token is in the fragment, which no server
 *   and no log on the way gets to see.
 */
export function tokenMail(kind: TokenMailKind, to: string, token: string, publicUrl: string): Mail {
  switch (kind) {
    case "verify_email":
      return {
        to,
        subject: "Confirm your e-mail address",
        text: lines(
          "Somebody, probably you, gave this address to an account at Chirrup. To confirm it, open this within a day:",
          `${publicUrl}/verify-email#token=${token}`,
          `The token by itself: ${token}`,
          "If it was not you, ignore this mail: without the token nothing happens.",
        ),
      };
    case "reset_password":
      return {
        to,
        subject: "Set a new password",
        text: lines(
          "Somebody, probably you, asked for a new password at Chirrup. To set it, open this within an hour:",
          `${publicUrl}/reset-password#token=${token}`,
          `The token by itself: ${token}`,
          "If it was not you, ignore this mail: the password stays as it is.",
        ),
      };
  }
}

const notices: Readonly<Record<NoticeKind, readonly [subject: string, done: string]>> = {
  email_changed: ["Your e-mail address was changed", "now has another e-mail address"],
  password_changed: ["Your password was changed", "has a new password, and its other sessions were ended"],
  password_reset: [
    "Your password was reset",
    "has a new password, set by a mailed token, and all sessions were ended",
  ],
  second_factor_enabled: ["Your second factor is on", "now asks for a second factor"],
  second_factor_disabled: ["Your second factor is off", "does not ask for a second factor any more"],
};

export function noticeMail(kind: NoticeKind, to: string, publicUrl: string): Mail {
  const [subject, done] = notices[kind];
  return {
    to,
    subject,
    text: lines(
      `Your account at Chirrup (${publicUrl}) ${done}.`,
      "If it was not you, set a new password now, and look through your sessions.",
    ),
  };
}

function lines(...paragraphs: readonly string[]): string {
  return `${paragraphs.join("\n\n")}\n`;
}
