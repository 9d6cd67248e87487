import type { Cursors, Handlers, Ids, Postgres, Reads } from "@chirrup/platform";
import type { UserService } from "@chirrup/proto/chirrup/user/v1/user_service";
import type { Attempts } from "./attempts.ts";
import type { BreachCheck } from "./breached-passwords.ts";
import type { SessionPolicy } from "./domain/session.ts";
import type { PasswordHasher } from "./password-hasher.ts";
import type { RevocationFeed } from "./revocation-feed.ts";
import type { TokenIssuer } from "./token-issuer.ts";

/** What the handlers work with. */
export interface Context {
  /** The primary: for writes, every decision about one, and whatever sessions hang on. */
  readonly postgres: Postgres;
  /** The replica, as far as it has what the caller has written. */
  readonly reads: Reads;
  /** The primary, by connections of their own for what strangers can ask in any number before they have proved anything. */
  readonly strangers: Postgres;
  readonly ids: Pick<Ids, "next">;
  readonly cursors: Cursors;
  readonly hasher: PasswordHasher;
  /** Passwords in lower case that are tried first. */
  readonly commonPasswords: ReadonlySet<string>;
  readonly refuseBreached: BreachCheck;
  readonly attempts: Attempts;
  readonly tokens: TokenIssuer;
  readonly sessionPolicy: SessionPolicy;
  readonly accessTokenTtlS: number;
  readonly refreshSecret: string;
  /** Seals the secrets of second factors. */
  readonly sealWith: Buffer;
  readonly secondFactorDriftSteps: number;
  readonly revocations: RevocationFeed;
  /** The clock of every decision about time. */
  readonly now: () => Date;
  /** Counts sessions ended because an old refresh token was replayed. */
  readonly onReplay: () => void;
}

/** The implementation of each rpc, by its local name. */
export type Rpc = Handlers<typeof UserService>;
