import { availableParallelism } from "node:os";
import type { Lifecycle } from "@chirrup/platform";
import {
  createCursors,
  openPostgres,
  openServiceDatabase,
  peerTls,
  servePeerRoutes,
  serveRpc,
  startAdminServer,
} from "@chirrup/platform";
import { UserService } from "@chirrup/proto/chirrup/user/v1/user_service";
import { createAttempts } from "./attempts.ts";
import { createBreachCheck } from "./breached-passwords.ts";
import { readCommonPasswords } from "./common-passwords.ts";
import type { Config } from "./config.ts";
import { attemptPolicy } from "./domain/attempt.ts";
import { sealingKey } from "./domain/sealing.ts";
import { startHashingProcess } from "./hashing/hashing-process.ts";
import { jwksRoute } from "./jwks-route.ts";
import { openKeyRing } from "./key-ring.ts";
import { createMailbox } from "./mail/mailbox.ts";
import { createSmtpMailer } from "./mail/mailer.ts";
import { deliverUntilStopped } from "./mail/postman.ts";
import { createPasswordHasher } from "./password-hasher.ts";
import { purgeUntilStopped } from "./purge.ts";
import { openRevocationFeed } from "./revocation-feed.ts";
import { createHandlers } from "./server.ts";
import { createTokenIssuer } from "./token-issuer.ts";

/** The ports that were taken, for a caller that asked for any free one. */
export interface Ports {
  readonly grpc: number;
  readonly http: number;
}

const systemNow = (): Date => new Date();

/**
 * Starts the service in this process.
 *
 * @param now - The clock of every decision about time. Default: the system's.
 */
export async function start(life: Lifecycle<Config>, now: () => Date = systemNow): Promise<Ports> {
  const { config, log, metrics, readiness, signal, onStop } = life;

  const { primary: postgres, reads, tokens: writeTokens, ids } = await openServiceDatabase("user", life);
  // Apart from the pool of the calls: when those wait for a connection, gateways must not lose sight of
  // revocations and close.
  const revocationReads = openPostgres({
    url: config.DATABASE_URL,
    applicationName: "chirrup-user-revocations",
    maxConnections: 2,
    statementTimeoutMs: 1_000,
    log,
  });
  onStop("postgres of revocations", () => revocationReads.close());

  const strangers = openPostgres({
    url: config.DATABASE_URL,
    applicationName: "chirrup-user-strangers",
    maxConnections: 3,
    log,
  });
  onStop("postgres of strangers", () => strangers.close());

  const hashing = startHashingProcess({ niceness: config.PASSWORD_HASH_NICENESS, log });
  onStop("hashing process", () => hashing.close());
  const hasher = await createPasswordHasher({
    hashing,
    cost: { memoryKib: config.PASSWORD_HASH_MEMORY_KIB, passes: config.PASSWORD_HASH_PASSES },
    // One core is never hashed on: whoever has to answer meanwhile finds it free.
    concurrency: Math.max(1, Math.min(config.PASSWORD_HASH_CONCURRENCY, availableParallelism() - 1)),
    maxWaiting: config.PASSWORD_HASH_MAX_WAITING,
    maxWaitMs: config.PASSWORD_HASH_MAX_WAIT_MS,
  });
  const keyRing = await openKeyRing({
    postgres,
    secret: config.SIGNING_KEY_SECRET,
    reloadMs: config.SIGNING_KEY_RELOAD_MS,
    maxAgeMs: config.SIGNING_KEY_MAX_AGE_S * 1_000,
    accessTokenTtlMs: config.ACCESS_TOKEN_TTL_S * 1_000,
    now,
    log,
    signal,
  });
  const revocations = await openRevocationFeed({ postgres: revocationReads, now, log, signal });
  readiness.add("revocations", () => revocations.obstacle());
  void purgeUntilStopped({
    postgres,
    historyMs: config.SESSION_HISTORY_S * 1_000,
    securityLog: { keptMs: config.SECURITY_LOG_S * 1_000, maxRefusals: config.SECURITY_LOG_MAX_REFUSALS },
    now,
    log,
    signal,
  });
  const attempts = createAttempts({
    postgres: strangers,
    secret: config.REFRESH_SECRET,
    policy: attemptPolicy({
      login: config.SIGN_IN_FREE_ATTEMPTS,
      loginElsewhere: config.SIGN_IN_FREE_ATTEMPTS_ELSEWHERE,
      address: config.SIGN_IN_FREE_ATTEMPTS_ADDRESS,
    }),
    now,
  });

  metrics.gauge({
    name: "chirrup_user_password_hash_waiting",
    help: "Calls that wait for their turn to hash a password.",
    collect: (gauge) => gauge.set(hasher.waiting()),
  });
  const replays = metrics.counter({
    name: "chirrup_user_refresh_token_replays_total",
    help: "Sessions ended because an old refresh token was replayed.",
  });

  const tokens = createTokenIssuer({
    keyRing,
    policy: {
      issuer: config.TOKEN_ISSUER,
      audience: config.TOKEN_AUDIENCE,
      ttlS: config.ACCESS_TOKEN_TTL_S,
    },
    now,
  });
  const mailbox = config.MAIL_URL === "mailbox:" ? createMailbox() : undefined;
  const mailer = mailbox ?? createSmtpMailer(config.MAIL_URL, config.MAIL_FROM);
  onStop("mailer", () => mailer.close());
  void deliverUntilStopped({
    postgres,
    mailer,
    publicUrl: config.PUBLIC_URL.replace(/\/$/, ""),
    now,
    log,
    signal,
  });
  const tls = peerTls({ folder: config.PEER_TLS_DIR, log, signal });
  const keySet = { "/.well-known/jwks.json": jwksRoute(keyRing) };
  const { HOST: host, KEYS_PORT: keysPort } = config;
  if (tls !== undefined && keysPort !== undefined) {
    const keys = await servePeerRoutes({ host, port: keysPort, tls, routes: keySet, log });
    onStop("key set", () => keys.close());
  }
  const admin = await startAdminServer({
    host: config.HOST,
    port: config.HTTP_PORT,
    readiness,
    metrics,
    log,
    routes: {
      ...(keysPort === undefined ? keySet : {}),
      ...(mailbox === undefined ? {} : { "/mailbox": mailbox.route }),
    },
  });
  onStop("admin server", () => admin.close());

  const server = await serveRpc({
    service: UserService,
    handlers: createHandlers({
      postgres,
      reads,
      strangers,
      ids,
      cursors: createCursors(config.CURSOR_SECRET),
      hasher,
      commonPasswords: readCommonPasswords(),
      refuseBreached: createBreachCheck({ url: config.BREACHED_PASSWORDS_URL, log }),
      attempts,
      tokens,
      sessionPolicy: {
        idleMs: config.SESSION_IDLE_S * 1_000,
        maxAgeMs: config.SESSION_MAX_AGE_S * 1_000,
        maxLive: config.SESSIONS_MAX_LIVE,
        graceMs: config.REFRESH_GRACE_MS,
      },
      accessTokenTtlS: config.ACCESS_TOKEN_TTL_S,
      refreshSecret: config.REFRESH_SECRET,
      sealWith: sealingKey(config.SIGNING_KEY_SECRET, "second factors"),
      secondFactorDriftSteps: config.SECOND_FACTOR_DRIFT_STEPS,
      revocations,
      now,
      onReplay: () => replays.inc(),
    }),
    host: config.HOST,
    port: config.GRPC_PORT,
    peerSecret: config.PEER_SECRET,
    tokens: writeTokens,
    tls,
    log,
    metrics,
  });
  onStop("rpc server", () => server.close(config.SHUTDOWN_GRACE_MS));
  return { grpc: server.port, http: admin.port };
}
