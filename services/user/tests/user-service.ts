import { fromBinary } from "@bufbuild/protobuf";
import type { CallOptions, Client } from "@chirrup/grpc";
import { createClient, GrpcError, Metadata, Status } from "@chirrup/grpc";
import type { Postgres } from "@chirrup/platform";
import {
  createMetrics,
  createReadiness,
  metadataKeys,
  migrate,
  openPeer,
  openPostgres,
  parseConfig,
  platformMigrations,
} from "@chirrup/platform";
import { EventSchema } from "@chirrup/proto/chirrup/events/v1/event";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "@chirrup/proto/google/rpc/error_details";
import { UserService } from "@chirrup/proto/chirrup/user/v1/user_service";
import { testLog, testPostgres, waitFor } from "@chirrup/testkit";
import { decodeJwt } from "jose";
import { configSchema } from "../src/config.ts";
import { userMigrations } from "../src/migrations.ts";
import { start } from "../src/start.ts";

export const password = "correct horse battery";
const secret = "a secret of the tests, long enough for one";

/** A clock that tests move. */
export interface TestClock {
  readonly now: () => Date;
  advance(ms: number): void;
}

export function testClock(): TestClock {
  let offsetMs = 0;
  return {
    now: () => new Date(Date.now() + offsetMs),
    advance(ms) {
      offsetMs += ms;
    },
  };
}

/** One process of the service. */
export interface Instance extends AsyncDisposable {
  readonly client: Client<typeof UserService>;
  readonly jwksUrl: string;
  readonly mailboxUrl: string;
}

/** The service over a database of its own. */
export interface Service extends Instance {
  readonly databaseUrl: string;
  readonly postgres: Postgres;
  readonly clock: TestClock;
}

/** An empty database with the tables of the service. */
export async function createDatabase(): Promise<string> {
  const url = await (await testPostgres()).createDatabase("user");
  await migrate({ url, folders: [platformMigrations, userMigrations], log: testLog() });
  return url;
}

/** Starts one process's worth of the service, as `main` does. */
export async function startInstance(
  databaseUrl: string,
  options: { now?: () => Date; env?: Record<string, string> } = {},
): Promise<Instance> {
  const stopping = new AbortController();
  const closers: (() => Promise<void> | void)[] = [];
  const stop = async () => {
    stopping.abort();
    for (const close of closers.toReversed()) await close();
  };
  try {
    const ports = await start(
      {
        config: parseConfig(configSchema, {
          GRPC_PORT: "0",
          HTTP_PORT: "0",
          PEER_SECRET: secret,
          DATABASE_URL: databaseUrl,
          SIGNING_KEY_SECRET: secret,
          REFRESH_SECRET: secret,
          CURSOR_SECRET: secret,
          TOKEN_ISSUER: "https://chirrup.test",
          TOKEN_AUDIENCE: "chirrup",
          SHUTDOWN_GRACE_MS: "2000",
          // Of OWASP's settings of equal strength, the one with the least memory to fill.
          PASSWORD_HASH_MEMORY_KIB: "7168",
          PASSWORD_HASH_PASSES: "5",
          // Other tests run beside these, and want all of the machine for minutes.
          PASSWORD_HASH_NICENESS: "0",
          ...options.env,
        }),
        log: testLog(),
        metrics: createMetrics({ service: "user" }),
        readiness: createReadiness(),
        signal: stopping.signal,
        onStop: (_name, close) => closers.push(close),
      },
      options.now,
    );
    const channel = openPeer(`127.0.0.1:${ports.grpc}`, secret);
    return {
      client: createClient(UserService, channel),
      jwksUrl: `http://127.0.0.1:${ports.http}/.well-known/jwks.json`,
      mailboxUrl: `http://127.0.0.1:${ports.http}/mailbox`,
      async [Symbol.asyncDispose]() {
        channel.close();
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

export async function startService(env: Record<string, string> = {}): Promise<Service> {
  const databaseUrl = await createDatabase();
  const clock = testClock();
  const instance = await startInstance(databaseUrl, { now: clock.now, env });
  const postgres = openPostgres({ url: databaseUrl, applicationName: "user-test", log: testLog() });
  return {
    client: instance.client,
    jwksUrl: instance.jwksUrl,
    mailboxUrl: instance.mailboxUrl,
    databaseUrl,
    postgres,
    clock,
    async [Symbol.asyncDispose]() {
      await instance[Symbol.asyncDispose]();
      await postgres.close();
    },
  };
}

/** A registered account and its first session. */
export interface SignedIn {
  readonly userId: bigint;
  readonly sessionId: bigint;
  readonly username: string;
  readonly email: string;
  readonly accessToken: string;
  readonly refreshToken: string;
  /** Call options of this session, as the gateway sends them. */
  readonly call: CallOptions;
}

let made = 0;

/** Registers an account of its own for one test. */
export async function signUp(client: Client<typeof UserService>): Promise<SignedIn> {
  made++;
  const username = `user_${made}`;
  const email = `${username}@example.com`;
  const { user, accessToken, refreshToken } = await client.register({ username, email, password });
  const userId = user?.id ?? 0n;
  const sessionId = sessionOf(accessToken);
  return { userId, sessionId, username, email, accessToken, refreshToken, call: as(userId, sessionId) };
}

/** The session that an access token belongs to. */
export function sessionOf(accessToken: string): bigint {
  return BigInt(String(decodeJwt(accessToken)["sid"]));
}

export function as(userId: bigint, sessionId: bigint, idempotencyKey?: string): CallOptions {
  const metadata = Metadata.from({
    [metadataKeys.userId]: String(userId),
    [metadataKeys.sessionId]: String(sessionId),
  });
  if (idempotencyKey !== undefined) metadata.set(metadataKeys.idempotencyKey, idempotencyKey);
  return { metadata };
}

/** Call options of a client at this address. */
export function from(address: string, options: CallOptions = {}): CallOptions {
  const metadata = Metadata.from({ [metadataKeys.clientAddress]: address });
  for (const [key, value] of options.metadata?.entries() ?? []) metadata.set(key, value);
  return { ...options, metadata };
}

/** The mails that were sent to an address, the newest first. */
export async function mailsTo(
  instance: Instance,
  email: string,
): Promise<{ subject: string; text: string }[]> {
  const response = await fetch(instance.mailboxUrl, { headers: { accept: "application/json" } });
  const { mails } = (await response.json()) as { mails: { to: string; subject: string; text: string }[] };
  return mails.filter(({ to }) => to === email);
}

/** The token of the newest mail to an address with this subject, once there are `count` of them. */
export async function mailedToken(
  instance: Instance,
  email: string,
  subject: "Confirm your e-mail address" | "Set a new password",
  count = 1,
): Promise<string> {
  const [mail] = await waitFor(
    async () => {
      const mails = (await mailsTo(instance, email)).filter((sent) => sent.subject === subject);
      return mails.length >= count && mails;
    },
    { what: `mail ${count} to ${email}: ${subject}` },
  );
  return /#token=([\w-]{43})/.exec(mail?.text ?? "")?.[1] ?? "";
}

/** The reason in a failure's ErrorInfo, and its metadata. */
export function infoOf(error: GrpcError): { reason: string; metadata: Record<string, string> } | undefined {
  const detail = error.details.find(({ typeUrl }) => typeUrl.endsWith(ErrorInfoSchema.typeName));
  return detail && fromBinary(ErrorInfoSchema, detail.value);
}

/** The error that a call fails with. */
export async function failureOf(call: Promise<unknown>): Promise<GrpcError> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof GrpcError) return error;
  throw new Error("the call did not fail with a status", { cause: error });
}

/** The code of a call's outcome. */
export async function codeOf(call: Promise<unknown>): Promise<Status> {
  return call.then(
    () => Status.OK,
    (error: unknown) => {
      if (error instanceof GrpcError) return error.code;
      throw error;
    },
  );
}

/** The JSON names of the fields that a failure names. */
export function fieldsOf(error: GrpcError): string[] {
  const detail = error.details.find(({ typeUrl }) => typeUrl.endsWith(BadRequestSchema.typeName));
  if (detail === undefined) return [];
  return fromBinary(BadRequestSchema, detail.value).fieldViolations.map(({ field }) => field);
}

/** Whether a failure says when to try again. */
export function saysWhenToRetry(error: GrpcError): boolean {
  return error.details.some(({ typeUrl }) => typeUrl.endsWith(RetryInfoSchema.typeName));
}

/** What the security log tells of a user, oldest first. */
export async function securityLogOf(postgres: Postgres, userId: bigint): Promise<string[]> {
  const rows = await postgres.query<{ kind: string }>({
    name: "test_security_log",
    text: "SELECT kind FROM security_events WHERE user_id = $1 ORDER BY id",
    values: [userId],
  });
  return rows.map(({ kind }) => kind);
}

/** The kinds of the events in the outbox that tell of a user, in order. */
export async function eventsOf(postgres: Postgres, userId: bigint): Promise<string[]> {
  const rows = await postgres.query<{ payload: Buffer }>({
    name: "test_events",
    text: "SELECT payload FROM outbox WHERE topic = 'users' AND key = $1 ORDER BY id",
    values: [String(userId)],
  });
  return rows.map(({ payload }) => fromBinary(EventSchema, payload).payload.case ?? "none");
}
