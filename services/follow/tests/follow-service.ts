import { fromBinary } from "@bufbuild/protobuf";
import { createClient, GrpcError, Metadata, Status, type CallOptions, type Client } from "@chirrup/grpc";
import {
  createCursors,
  createMetrics,
  leaseIds,
  metadataKeys,
  migrate,
  openPeer,
  openPostgres,
  platformMigrations,
  readsOf,
  serveRpc,
  type Handlers,
  type Postgres,
} from "@chirrup/platform";
import { EventSchema, type Event } from "@chirrup/proto/chirrup/events/v1/event";
import { FollowService } from "@chirrup/proto/chirrup/follow/v1/follow_service";
import { UserService } from "@chirrup/proto/chirrup/user/v1/user_service";
import { testLog, testPostgres } from "@chirrup/testkit";
import { createUsers } from "../src/clients/user.ts";
import type { FollowContext } from "../src/context.ts";
import type { Thresholds } from "../src/domain/celebrity-state.ts";
import { followMigrations } from "../src/migrations.ts";
import { createHandlers } from "../src/server.ts";

export const peerSecret = "the peer secret of the follow tests";
const host = "127.0.0.1";

/** A migrated database of its own; its URL. */
export async function freshDatabase(): Promise<string> {
  const url = await (await testPostgres()).createDatabase("follow");
  await migrate({ url, folders: [platformMigrations, followMigrations], log: testLog() });
  return url;
}

/** A user service at the other end of the network that knows these ids. */
export async function serveUsers(existing: ReadonlySet<bigint>) {
  const asked: bigint[] = [];
  const unimplemented = UserService.methods.map(({ localName }) => [
    localName,
    () => Promise.reject(new GrpcError(Status.UNIMPLEMENTED, localName)),
  ]);
  const handlers: Handlers<typeof UserService> = {
    ...(Object.fromEntries(unimplemented) as Handlers<typeof UserService>),
    batchGetUsers: ({ ids }) => {
      asked.push(...ids);
      return Promise.resolve({ users: ids.filter((id) => existing.has(id)).map((id) => ({ id })) });
    },
  };
  const server = await serveRpc({
    service: UserService,
    handlers,
    host,
    port: 0,
    peerSecret,
    log: testLog(),
    metrics: createMetrics({ service: "user" }),
  });
  return { address: `${host}:${server.port}`, asked, close: () => server.close(0) };
}

export interface FollowServiceUnderTest extends AsyncDisposable {
  readonly client: Client<typeof FollowService>;
  readonly context: FollowContext;
  readonly postgres: Postgres;
  /** The ids that the user service was asked for. */
  readonly asked: readonly bigint[];
  /** What was published, in the order of event ids: for one key that is the order of commits. */
  events(): Promise<{ topic: string; key: string; event: Event }[]>;
}

export interface StartOptions {
  /** Users 1 to 100 unless given. */
  readonly users?: ReadonlySet<bigint>;
  readonly thresholds?: Thresholds;
  readonly url?: string;
  readonly maxConnections?: number;
  /** Told the name of each statement that is sent outside a transaction. */
  readonly onQuery?: (name: string) => void;
}

/** The service's handlers behind a real gRPC server, over a real database. */
export async function startFollowService(options: StartOptions = {}): Promise<FollowServiceUnderTest> {
  const { users = new Set(range(1, 100)), thresholds = { up: 10_000, down: 9_000 } } = options;
  const url = options.url ?? (await freshDatabase());
  const log = testLog();
  const stopping = new AbortController();
  const database = openPostgres({
    url,
    applicationName: "follow-test",
    log,
    maxConnections: options.maxConnections ?? 10,
  });
  const postgres: Postgres = {
    ...database,
    query(query) {
      options.onQuery?.(query.name);
      return database.query(query);
    },
  };
  const ids = await leaseIds({ postgres, log, signal: stopping.signal });
  const userService = await serveUsers(users);
  const userChannel = openPeer(userService.address, peerSecret);
  const context: FollowContext = {
    postgres,
    reads: readsOf(postgres),
    ids,
    cursors: createCursors("the cursor secret of the follow tests"),
    users: createUsers(userChannel),
    thresholds,
  };
  const server = await serveRpc({
    service: FollowService,
    handlers: createHandlers(context),
    host,
    port: 0,
    peerSecret,
    log,
    metrics: createMetrics({ service: "follow" }),
  });
  const channel = openPeer(`${host}:${server.port}`, peerSecret);

  return {
    client: createClient(FollowService, channel),
    context,
    postgres,
    asked: userService.asked,
    async events() {
      const rows = await postgres.query<{ topic: string; key: string; payload: Uint8Array }>({
        name: "test-outbox",
        text: "select topic, key, payload from outbox order by id",
      });
      return rows.map(({ topic, key, payload }) => ({ topic, key, event: fromBinary(EventSchema, payload) }));
    },
    async [Symbol.asyncDispose]() {
      channel.close();
      await server.close(0);
      userChannel.close();
      await userService.close();
      stopping.abort();
      await ids.close();
      await postgres.close();
    },
  };
}

/** What the gateway sends for a signed-in user. */
export function as(userId: bigint, more: Readonly<Record<string, string>> = {}): CallOptions {
  const identity = { [metadataKeys.userId]: String(userId), [metadataKeys.sessionId]: "1" };
  return { metadata: Metadata.from({ ...identity, ...more }) };
}

/** first, first + 1, …, last */
export function range(first: number, last: number): bigint[] {
  return Array.from({ length: last - first + 1 }, (_, i) => BigInt(first + i));
}

/** What a call was refused with. */
export async function refusal(call: Promise<unknown>): Promise<GrpcError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof GrpcError) return error;
    throw error;
  }
  throw new Error("the call was not refused");
}
