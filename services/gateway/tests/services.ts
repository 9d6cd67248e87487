import type { DescService } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { GrpcError, Status } from "@chirrup/grpc";
import { createMetrics, serveRpc, type Call, type Handlers, type WriteTokens } from "@chirrup/platform";
import { FeedService } from "@chirrup/proto/chirrup/feed/v1/feed_service";
import { FollowService } from "@chirrup/proto/chirrup/follow/v1/follow_service";
import { PostService } from "@chirrup/proto/chirrup/post/v1/post_service";
import { UserService } from "@chirrup/proto/chirrup/user/v1/user_service";
import { testLog } from "@chirrup/testkit";

export const peerSecret = "the peer secret of the gateway's tests";

/** A service at the border of the network. Methods without a handler answer with nothing in it. */
export async function serveService<S extends DescService>(
  service: S,
  handlers: Partial<Handlers<S>>,
  tokens?: WriteTokens,
) {
  const silent = service.methods.map(({ localName }) => [localName, () => Promise.resolve({})]);
  const server = await serveRpc({
    service,
    handlers: { ...(Object.fromEntries(silent) as Handlers<S>), ...handlers },
    host: "127.0.0.1",
    port: 0,
    peerSecret,
    tokens,
    log: testLog(),
    metrics: createMetrics({ service: "upstream" }),
  });
  return { address: `127.0.0.1:${server.port}`, close: () => server.close(0) };
}

/** What a test can do to the sessions that the user service tells of. */
export interface Sessions {
  revoke(sessionId: bigint): void;
  /** The stream's heart stops, with the connection open. */
  silent: boolean;
  /** CheckSession fails. */
  checkFails: boolean;
  /** What CheckSession says. */
  readonly ended: Set<bigint>;
  checks: number;
}

export interface Services {
  readonly env: Record<string, string>;
  readonly sessions: Sessions;
  /** Calls as the services saw them, by rpc name. */
  readonly seen: { rpc: string; call: Call; request: unknown }[];
  /** Replaces the behaviour of GetPost. */
  getPost: (postId: bigint, call: Call) => Promise<object>;
  close(): Promise<void>;
}

const account = { id: 42n, username: "ada", displayName: "Ada", email: "ada@example.com" };
const tokens = { accessToken: "access.token.value", refreshToken: "refresh-token-value", expiresIn: 600 };

/** The four services, with as much behind them as the gateway can see. */
export async function startServices(): Promise<Services> {
  const { handlers: sessionHandlers, sessions } = createSessions();
  const seen: Services["seen"] = [];
  const note = (rpc: string, call: Call, request: unknown): void => {
    seen.push({ rpc, call, request });
  };
  const servers = await Promise.all([
    serveService(UserService, {
      ...sessionHandlers,
      async register(request, call) {
        note("register", call, request);
        return { user: account, ...tokens };
      },
      async login(request, call) {
        note("login", call, request);
        return { user: account, ...tokens };
      },
      async refresh(request, call) {
        note("refresh", call, request);
        return tokens;
      },
      async logout(request, call) {
        note("logout", call, request);
        return {};
      },
      async getMe(request, call) {
        note("getMe", call, request);
        return { user: account };
      },
      async updateMe(request, call) {
        note("updateMe", call, request);
        return { user: account };
      },
      async batchGetUsers(request, call) {
        note("batchGetUsers", call, request);
        return { users: request.ids.map((id) => ({ id })) };
      },
    }),
    serveService(PostService, {
      async createPost(request, call) {
        note("createPost", call, request);
        return { post: { id: 9_007_199_254_740_993n, authorId: 42n, content: request.content } };
      },
      getPost({ postId }, call) {
        note("getPost", call, { postId });
        return services.getPost(postId, call);
      },
      async createComment(request, call) {
        note("createComment", call, request);
        return { comment: { id: 1n, postId: request.postId, content: request.content } };
      },
      async likePost(request, call) {
        note("likePost", call, request);
        return {};
      },
    }),
    serveService(FollowService, {}),
    serveService(FeedService, {
      async getHomeFeed(request, call) {
        note("getHomeFeed", call, request);
        return { items: [], nextCursor: "" };
      },
    }),
  ]);
  const [user, post, follow, feed] = servers;
  const services: Services = {
    env: {
      USER_SERVICE: user.address,
      POST_SERVICE: post.address,
      FOLLOW_SERVICE: follow.address,
      FEED_SERVICE: feed.address,
    },
    sessions,
    seen,
    getPost: async (postId) => ({ post: { id: postId } }),
    close: async () => {
      await Promise.all(servers.map((server) => server.close()));
    },
  };
  return services;
}

function createSessions() {
  const revoked: bigint[] = [];
  const sessions: Sessions = {
    revoke: (sessionId) => revoked.push(sessionId),
    silent: false,
    checkFails: false,
    ended: new Set(),
    checks: 0,
  };
  const handlers: Partial<Handlers<typeof UserService>> = {
    async *watchRevocations(_, call) {
      let sent = 0;
      while (!call.signal.aborted) {
        if (!sessions.silent) {
          const fresh = revoked.slice(sent);
          sent += fresh.length;
          yield {
            revoked: fresh.map((sessionId) => ({
              sessionId,
              forgetAt: timestampFromMs(Date.now() + 600_000),
            })),
            revision: BigInt(sent),
            caughtUp: true,
          };
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    async checkSession({ sessionId }) {
      sessions.checks += 1;
      if (sessions.checkFails) throw new GrpcError(Status.UNAVAILABLE, "the primary is away at 10.1.2.3");
      return { live: !sessions.ended.has(sessionId) };
    },
  };
  return { sessions, handlers };
}
