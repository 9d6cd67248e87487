import type { DescService } from "@bufbuild/protobuf";
import { type Channel, GrpcError, type Server, Status } from "@chirrup/grpc";
import { type Call, createLogger, createMetrics, type Handlers, openPeer, serveRpc } from "@chirrup/platform";
import { CelebrityState, FollowService } from "@chirrup/proto/chirrup/follow/v1/follow_service";
import { PostService } from "@chirrup/proto/chirrup/post/v1/post_service";
import { UserService } from "@chirrup/proto/chirrup/user/v1/user_service";
import type { Gates } from "./gates.ts";
import { localChannel } from "./local-channel.ts";
import type { World } from "./world.ts";

export const peerSecret = "a secret between the peers of a test";
const host = "127.0.0.1";
const log = createLogger({ service: "test", level: "silent", format: "json" });

/** The services that the feed calls, as gRPC servers over a world. */
export interface Peers {
  readonly post: Channel;
  readonly follow: Channel;
  readonly user: Channel;
  /** Where a feed process finds them. */
  readonly settings: {
    readonly POST_SERVICE: string;
    readonly FOLLOW_SERVICE: string;
    readonly USER_SERVICE: string;
  };
  close(): Promise<void>;
}

/** `world` is asked for at each call. Every answer passes the gates after it was read from the world. */
export async function servePeers(world: () => World, gates: Gates): Promise<Peers> {
  const servers = await Promise.all([
    serveTest(PostService, postHandlers(world, gates)),
    serveTest(FollowService, followHandlers(world, gates)),
    serveTest(UserService, userHandlers(world)),
  ]);
  const [post, follow, user] = servers;
  const settings = {
    POST_SERVICE: `${host}:${post.port}`,
    FOLLOW_SERVICE: `${host}:${follow.port}`,
    USER_SERVICE: `${host}:${user.port}`,
  };
  const open = ({ port }: Server): Channel => openPeer(`${host}:${port}`, peerSecret);
  const channels = { post: open(post), follow: open(follow), user: open(user) };
  return {
    ...channels,
    settings,
    async close() {
      for (const channel of Object.values(channels)) channel.close();
      await Promise.all(servers.map((server) => server.close(0)));
    },
  };
}

/** The same in this process, without gRPC between. */
export function localPeers(world: () => World, gates: Gates): Pick<Peers, "post" | "follow" | "user"> {
  return {
    post: localChannel(PostService, postHandlers(world, gates)),
    follow: localChannel(FollowService, followHandlers(world, gates)),
    user: localChannel(UserService, userHandlers(world)),
  };
}

/** Serves the methods given; all others are UNIMPLEMENTED. */
export function serveTest<S extends DescService>(service: S, some: Partial<Handlers<S>>): Promise<Server> {
  const unimplemented = () => Promise.reject(new GrpcError(Status.UNIMPLEMENTED, "not served here"));
  const all = Object.fromEntries(service.methods.map(({ localName }) => [localName, unimplemented]));
  const handlers = { ...all, ...some } as Handlers<S>;
  const metrics = createMetrics({ service: "test" });
  return serveRpc({ service, handlers, host, port: 0, peerSecret, log, metrics });
}

/** Calls that a page makes and those that work in the background makes have gates of their own. */
function gateOf({ caller }: Call, method: string): string {
  return `${caller === undefined ? "work" : "page"} ${method}`;
}

function postHandlers(world: () => World, gates: Gates): Partial<Handlers<typeof PostService>> {
  return {
    listByAuthors: ({ authorIds, before, limit }, call) =>
      gates.pass(gateOf(call, "listByAuthors"), {
        posts: world()
          .postsOf(authorIds, before === 0n ? 2n ** 63n : before)
          .slice(0, limit),
      }),
    viewPosts: ({ ids, versionIds, likeCounts, viewers }, call) => {
      const { posts, versions, likes } = world();
      const versionOf = (id: bigint): bigint => versions.get(id) ?? id;
      const likesOf = (id: bigint): bigint =>
        BigInt([...likes].filter((like) => like.endsWith(` ${id}`)).length);
      const changed = ids.filter(
        (id, index) =>
          posts.has(id) && (versionIds[index] !== versionOf(id) || likeCounts[index] !== likesOf(id)),
      );
      return gates.pass(gateOf(call, "viewPosts"), {
        posts: changed.map((id) => ({
          id,
          authorId: posts.get(id)!,
          content: `post ${versionOf(id)}`,
          likeCount: likesOf(id),
        })),
        versionIds: changed.map(versionOf),
        goneIds: ids.filter((id) => !posts.has(id)),
        likes: viewers.map(({ viewerId, postIds }) => ({
          viewerId,
          postIds: postIds.filter((id) => likes.has(`${viewerId} ${id}`)),
        })),
      });
    },
  };
}

function followHandlers(world: () => World, gates: Gates): Partial<Handlers<typeof FollowService>> {
  return {
    async *streamFollowers({ userId, afterUserId, pageSize }, call) {
      const state = world().stateOf(userId);
      // As the service does: the state first, then each page when it is wanted.
      yield await gates.pass(gateOf(call, "streamFollowers"), { state, followerIds: [] });
      for (let afterId = afterUserId; ;) {
        const followerIds = world()
          .followers(userId)
          .filter((followerId) => followerId > afterId)
          .slice(0, pageSize);
        if (followerIds.length === 0) return;
        yield await gates.pass(gateOf(call, "streamFollowers"), { state, followerIds });
        afterId = followerIds.at(-1)!;
      }
    },
    listFirstFollowers: ({ userIds, pageSize }, call) =>
      gates.pass(gateOf(call, "listFirstFollowers"), {
        authors: userIds.map((userId) => {
          const state = world().stateOf(userId);
          const isPushed = state !== CelebrityState.CELEBRITY;
          return { state, followerIds: isPushed ? world().followers(userId).slice(0, pageSize) : [] };
        }),
      }),
    listFollowees: ({ userId }, call) =>
      gates.pass(gateOf(call, "listFollowees"), { followeeIds: world().followees(userId) }),
    listCelebrities: ({ knownVersion }, call) => {
      const { version, authorIds } = world().celebrities();
      const isKnown = version === knownVersion;
      return gates.pass(gateOf(call, "listCelebrities"), { version, authorIds: isKnown ? [] : authorIds });
    },
    filterFollowees: ({ userId, candidateIds }, call) => {
      const followees = world().followees(userId);
      const followeeIds = candidateIds.filter((id) => followees.includes(id));
      return gates.pass(gateOf(call, "filterFollowees"), { followeeIds });
    },
    advanceCelebrityState: ({ userId, epoch }, call) =>
      gates.pass(gateOf(call, "advanceCelebrityState"), { state: world().advance(userId, epoch) }),
  };
}

function userHandlers(world: () => World): Partial<Handlers<typeof UserService>> {
  return {
    batchGetUsers: ({ ids }) => {
      const users = ids.filter((id) => world().users.has(id));
      return Promise.resolve({ users: users.map((id) => ({ id, username: `user_${id}` })) });
    },
  };
}
