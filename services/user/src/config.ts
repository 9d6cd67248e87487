import type { CommonSettings, DatabaseSettings, DatabaseTaskSettings } from "@chirrup/platform";
import {
  commonSettings,
  databaseSettings,
  databaseTaskSettings,
  replicaWithSecret,
  setting,
} from "@chirrup/platform";
import { z } from "zod";
import { isLoopback } from "./mail/mailer.ts";
import { isStrongEnough } from "./domain/hash-cost.ts";

type NumberSetting = z.ZodDefault<z.ZodType<number, string>>;
type TextSetting = z.ZodType<string, string>;

type UserSettings = CommonSettings &
  DatabaseSettings & {
    readonly KEYS_PORT: z.ZodOptional<z.ZodType<number, string>>;
    readonly SIGNING_KEY_SECRET: TextSetting;
    readonly REFRESH_SECRET: TextSetting;
    readonly CURSOR_SECRET: TextSetting;
    readonly TOKEN_ISSUER: TextSetting;
    readonly TOKEN_AUDIENCE: TextSetting;
    readonly ACCESS_TOKEN_TTL_S: NumberSetting;
    readonly SESSION_IDLE_S: NumberSetting;
    readonly SESSION_MAX_AGE_S: NumberSetting;
    readonly SESSIONS_MAX_LIVE: NumberSetting;
    readonly SESSION_HISTORY_S: NumberSetting;
    readonly REFRESH_GRACE_MS: NumberSetting;
    readonly SIGNING_KEY_RELOAD_MS: NumberSetting;
    readonly SIGNING_KEY_MAX_AGE_S: NumberSetting;
    readonly PASSWORD_HASH_MEMORY_KIB: NumberSetting;
    readonly PASSWORD_HASH_PASSES: NumberSetting;
    readonly PASSWORD_HASH_CONCURRENCY: NumberSetting;
    readonly PASSWORD_HASH_MAX_WAITING: NumberSetting;
    readonly PASSWORD_HASH_MAX_WAIT_MS: NumberSetting;
    readonly PASSWORD_HASH_NICENESS: NumberSetting;
    readonly SECOND_FACTOR_DRIFT_STEPS: NumberSetting;
    readonly BREACHED_PASSWORDS_URL: z.ZodOptional<TextSetting>;
    readonly SIGN_IN_FREE_ATTEMPTS: NumberSetting;
    readonly SIGN_IN_FREE_ATTEMPTS_ELSEWHERE: NumberSetting;
    readonly SIGN_IN_FREE_ATTEMPTS_ADDRESS: NumberSetting;
    readonly SECURITY_LOG_S: NumberSetting;
    readonly MAIL_URL: z.ZodDefault<TextSetting>;
    readonly MAIL_FROM: z.ZodDefault<TextSetting>;
    readonly PUBLIC_URL: z.ZodDefault<TextSetting>;
    readonly SECURITY_LOG_MAX_REFUSALS: NumberSetting;
  };

const dayS = 86_400;

/** The settings of the service. */
export const configSchema: z.ZodObject<UserSettings> = z
  .object({
    ...commonSettings,
    ...databaseSettings("user"),
    KEYS_PORT: setting
      .port()
      .optional()
      .describe(
        "Port of the key set by HTTPS, for peers with a certificate (PEER_TLS_DIR); it is then not on HTTP_PORT.",
      ),
    SIGNING_KEY_SECRET: setting
      .secret()
      .describe("Seals signing keys and second factors in the database; all instances share it."),
    REFRESH_SECRET: setting
      .secret()
      .describe("Derives each refresh token's successor; all instances share it."),
    CURSOR_SECRET: setting.secret().describe("Signs list cursors; all instances share it."),
    TOKEN_ISSUER: setting.text().describe("`iss` of access tokens."),
    TOKEN_AUDIENCE: setting.text().describe("`aud` of access tokens."),
    ACCESS_TOKEN_TTL_S: seconds(600, 3_600).describe(
      "How long an access token is good, in seconds; at most 3,600. Gateways keep revocations as long.",
    ),
    SESSION_IDLE_S: seconds(30 * dayS).describe(
      "A session ends when it is not refreshed for so many seconds.",
    ),
    SESSION_MAX_AGE_S: seconds(90 * dayS).describe(
      "A session ends so many seconds after its sign-in, in any case.",
    ),
    SESSIONS_MAX_LIVE: setting
      .positiveInt()
      .default(100)
      .describe(
        "How many live sessions an account has; another sign-in ends the one that is unused the longest.",
      ),
    SESSION_HISTORY_S: seconds(30 * dayS).describe("How long an ended session's row is kept, in seconds."),
    REFRESH_GRACE_MS: setting
      .durationMs()
      .default(10_000)
      .describe(
        "How long a replaced refresh token still answers with its unused successor, in milliseconds.",
      ),
    SIGNING_KEY_RELOAD_MS: setting
      .durationMs()
      .refine((value) => value >= 1_000, "must be at least 1000")
      .default(30_000)
      .describe(
        "How often the signing keys are read again, in milliseconds; a new key signs after twice that.",
      ),
    SIGNING_KEY_MAX_AGE_S: seconds(30 * dayS).describe(
      "A new signing key is made when the newest is so old, in seconds; the old go when no token needs them.",
    ),
    PASSWORD_HASH_MEMORY_KIB: setting
      .positiveInt()
      .default(19_456)
      .describe("argon2id's memory, in KiB; with the passes no less than OWASP's least."),
    PASSWORD_HASH_PASSES: setting.positiveInt().default(2).describe("argon2id's passes over the memory."),
    PASSWORD_HASH_CONCURRENCY: setting
      .positiveInt()
      .refine(
        (value) => value <= 3,
        "must be at most 3, fewer than the pool of the hashing process has threads",
      )
      .default(2)
      .describe("How many passwords are hashed at once, 1 to 3, on all cores but one at most."),
    PASSWORD_HASH_MAX_WAITING: setting
      .positiveInt()
      .default(64)
      .describe("How many calls wait for their turn to hash; others are refused with a retry delay."),
    PASSWORD_HASH_MAX_WAIT_MS: setting
      .durationMs()
      .default(2_000)
      .describe("How long they are to wait at most; who would wait longer is refused at once."),
    PASSWORD_HASH_NICENESS: z
      .string()
      .regex(/^1?\d$/, "must be 0 to 19")
      .transform(Number)
      .default(7)
      .describe("How far the process that hashes yields to all others: 0 not at all, 19 wholly."),
    SECOND_FACTOR_DRIFT_STEPS: z
      .string()
      .regex(/^[01]$/, "must be 0 or 1")
      .transform(Number)
      .default(0)
      .describe("By how many steps of 30 seconds a code of the second factor may be early or late: 0, or 1."),
    BREACHED_PASSWORDS_URL: setting
      .url("https", "http")
      .optional()
      .describe(
        "A range service of breached passwords, as `https://api.pwnedpasswords.com/range`; asked for new ones.",
      ),
    SIGN_IN_FREE_ATTEMPTS: setting
      .positiveInt()
      .default(5)
      .describe(
        "Wrong passwords for one login from one address before the next must wait, longer each time.",
      ),
    SIGN_IN_FREE_ATTEMPTS_ELSEWHERE: setting
      .positiveInt()
      .default(100)
      .describe("The same for one login from all addresses that are new to its account."),
    SIGN_IN_FREE_ATTEMPTS_ADDRESS: setting
      .positiveInt()
      .default(100)
      .describe("The same for all logins from one address that is new to their accounts."),
    MAIL_URL: setting
      .url("smtp", "smtps", "mailbox")
      .default("mailbox:")
      .describe(
        "Where mails go: `smtps://user:password@host`; `mailbox:` keeps them for /mailbox, on the loopback only.",
      ),
    MAIL_FROM: setting
      .text()
      .default("Chirrup <no-reply@chirrup.localhost>")
      .describe("Sender of the mails."),
    PUBLIC_URL: setting
      .url("http", "https")
      .default("http://127.0.0.1:8080")
      .describe("Where the web client is, for the links in mails."),
    SECURITY_LOG_S: seconds(90 * dayS).describe("How long security events are kept, in seconds."),
    SECURITY_LOG_MAX_REFUSALS: setting
      .positiveInt()
      .default(100_000)
      .describe("How many refusals the security log keeps: strangers can make any number."),
  })
  .refine(
    (config) =>
      isStrongEnough({ memoryKib: config.PASSWORD_HASH_MEMORY_KIB, passes: config.PASSWORD_HASH_PASSES }),
    { path: ["PASSWORD_HASH_MEMORY_KIB"], error: "and PASSWORD_HASH_PASSES are below OWASP's least" },
  )
  // Whoever reads the mailbox can take over any account.
  .refine(({ MAIL_URL, HOST }) => MAIL_URL !== "mailbox:" || isLoopback(HOST), {
    path: ["MAIL_URL"],
    error: "is required where HOST is not the loopback",
  })
  .refine(({ KEYS_PORT, PEER_TLS_DIR }) => KEYS_PORT === undefined || PEER_TLS_DIR !== undefined, {
    path: ["KEYS_PORT"],
    error: "needs PEER_TLS_DIR",
  })
  .refine(...replicaWithSecret);

export type Config = z.infer<typeof configSchema>;

type KeyRotationSettings = DatabaseTaskSettings & {
  readonly SIGNING_KEY_SECRET: TextSetting;
};

/** The settings of `rotate-keys.ts`. */
export const keyRotationSchema: z.ZodObject<KeyRotationSettings> = z.object({
  ...databaseTaskSettings("user"),
  SIGNING_KEY_SECRET: setting.secret(),
});

function seconds(fallback: number, max = 10 * 365 * dayS): NumberSetting {
  return setting
    .positiveInt()
    .refine((value) => value <= max, `must be at most ${max}`)
    .default(fallback);
}
