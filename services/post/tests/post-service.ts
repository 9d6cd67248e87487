import { create } from "@bufbuild/protobuf";
import {
  type CallOptions,
  type Client,
  createClient,
  GrpcError,
  Metadata,
  serve,
  type ServiceImpl,
  serviceOf,
  Status,
} from "@chirrup/grpc";
import {
  createCursors,
  createMetrics,
  type Ids,
  leaseIds,
  maintainOutbox,
  metadataKeys,
  migrate,
  openDatabase,
  openPeer,
  outboxPayload,
  platformMigrations,
  type Postgres,
  type Queryable,
  serveRpc,
} from "@chirrup/platform";
import { EventSchema } from "@chirrup/proto/chirrup/events/v1/event";
import { PostService } from "@chirrup/proto/chirrup/post/v1/post_service";
import { UserService } from "@chirrup/proto/chirrup/user/v1/user_service";
import { testLog, testPostgres } from "@chirrup/testkit";

import { createUsers } from "../src/clients/user.ts";
import { createUsersConsumer } from "../src/consumers/users.ts";
import { postMigrations } from "../src/migrations.ts";
import { createHandlers } from "../src/server.ts";
import { insertPosts, type NewPost } from "../src/store/new-post.ts";

export const editWindowMs: number = 10 * 60_000;
export const peerSecret: string = "a secret of the tests, long enough for one";

/** The service over a database of its own, a client of it, and the accounts that its user service knows. */
export interface PostServiceUnderTest extends AsyncDisposable {
  readonly client: Client<typeof PostService>;
  readonly postgres: Postgres;
  /** Of its database. */
  readonly url: string;
  readonly ids: Ids;
  readonly accounts: Set<bigint>;
}

/**
 * Starts the service as `main` does, without a process of its own, over a new database or another one's.
 */
export async function startPostService(
  options: {
    url?: string;
    replica?: { readonly replicaUrl: string; readonly consistencySecret: string };
  } = {},
): Promise<PostServiceUnderTest> {
  const log = testLog();
  const stopping = new AbortController();
  const url = options.url ?? (await (await testPostgres()).createDatabase("post"));
  await migrate({ url, folders: [platformMigrations, postMigrations], log });
  const database = openDatabase({
    service: "post",
    url,
    ...options.replica,
    maxLagMs: 10_000,
    waitMs: 50,
    maxConnections: 20,
    log,
  });
  const { primary: postgres, reads } = database;
  await maintainOutbox({ postgres, log, signal: stopping.signal });
  const ids = await leaseIds({ postgres, log, signal: stopping.signal });

  const accounts = new Set<bigint>();
  const userServer = await serve({ services: [userService(accounts)], host: "127.0.0.1", port: 0 });
  const userChannel = openPeer(`127.0.0.1:${userServer.port}`, peerSecret);

  const cursors = createCursors("another secret of the tests, just as long");
  const server = await serveRpc({
    service: PostService,
    handlers: createHandlers({
      postgres,
      reads,
      ids,
      cursors,
      users: createUsers(userChannel),
      editWindowMs,
    }),
    host: "127.0.0.1",
    port: 0,
    peerSecret,
    tokens: database.tokens,
    log,
    metrics: createMetrics({ service: "post" }),
  });
  const channel = openPeer(`127.0.0.1:${server.port}`, peerSecret);

  return {
    client: createClient(PostService, channel),
    postgres,
    url,
    ids,
    accounts,
    async [Symbol.asyncDispose]() {
      channel.close();
      await server.close(0);
      userChannel.close();
      await userServer.close(0);
      stopping.abort();
      await ids.close();
      await database.close();
    },
  };
}

/** Applies the event that tells of a deleted account, as it comes from the log. */
export function eraseAccount(
  { postgres, ids }: Pick<PostServiceUnderTest, "postgres" | "ids">,
  userId: bigint,
  signal: AbortSignal = new AbortController().signal,
): Promise<void> {
  const event = create(EventSchema, { payload: { case: "userDeleted", value: { userId } } });
  const received = { topic: "users", partition: 0, position: "1-0", key: String(userId), event };
  return createUsersConsumer({ postgres, ids, log: testLog() })(received, signal);
}

/** Writes a post as CreatePost does, with an id of one's own. */
export async function putPost(
  db: Queryable,
  post: Pick<NewPost, "id" | "authorId" | "content">,
): Promise<void> {
  const { id: eventId, authorId } = post;
  const event = { case: "postCreated", value: { postId: post.id, authorId } } as const;
  const payload = outboxPayload({ event, eventId, traceparent: "" });
  await insertPosts(db, [{ ...post, eventId, payload }]);
}

/** Call options of a signed-in user, as the gateway sends them. */
export function as(userId: bigint, idempotencyKey?: string): CallOptions {
  return {
    metadata: Metadata.from({
      [metadataKeys.userId]: String(userId),
      [metadataKeys.sessionId]: "1",
      ...(idempotencyKey === undefined ? {} : { [metadataKeys.idempotencyKey]: idempotencyKey }),
    }),
  };
}

/** The user service as far as this one asks it. */
export function userService(accounts: ReadonlySet<bigint>): ReturnType<typeof serviceOf> {
  const others = Object.fromEntries(
    UserService.methods.map((method) => [
      method.localName,
      () => {
        throw new GrpcError(Status.UNIMPLEMENTED, method.name);
      },
    ]),
  ) as unknown as ServiceImpl<typeof UserService>;
  return serviceOf(UserService, {
    ...others,
    batchGetUsers: ({ ids }) => ({ users: ids.filter((id) => accounts.has(id)).map((id) => ({ id })) }),
  });
}

/** The code of a call's failure; OK when it succeeds. */
export async function codeOf(call: Promise<unknown>): Promise<Status> {
  try {
    await call;
    return Status.OK;
  } catch (error) {
    if (error instanceof GrpcError) return error.code;
    throw error;
  }
}
