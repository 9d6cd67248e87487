import type { DescService } from "@bufbuild/protobuf";
import { type Channel, GrpcError, type Server, Status } from "@chirrup/grpc";
import { type Call, createLogger, createMetrics, type Handlers, openPeer, serveRpc } from "@chirrup/platform";
import { CelebrityState, FollowService } from "@chirrup/proto/chirrup/follow/v1/follow_service";
import { PostService } from "@chirrup/proto/chirrup/post/v1/post_service";
import { UserService } from "@chirrup/proto/chirrup/user/v1/user_service";
import type { Gates } from "./gates.ts";
import { localChannel } from "./local-channel.ts";
import type { PostRows, World } from "./world.ts";

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
    listByAuthors: ({ authorIds, before, limit }, call) => {
      const rows = world().postRows.reads(call);
      const found = world().postsOf(authorIds, before === 0n ? 2n ** 63n : before, rows);
      return gates.pass(gateOf(call, "listByAuthors"), { posts: found.slice(0, limit) });
    },
    viewPosts: ({ ids, versionIds, likeCounts, viewers }, call) => {
      // Likes have no replica: only what a page shows beside a post comes of them.
      const { likes } = world();
      const likesOf = (id: bigint): bigint =>
        BigInt([...likes].filter((like) => like.endsWith(` ${id}`)).length);
      const find = ({ posts, versions }: PostRows) => ({
        posts: ids.flatMap((id, index) => {
          const authorId = posts.get(id);
          const versionId = versions.get(id) ?? id;
          const likeCount = likesOf(id);
          if (authorId === undefined) return [];
          if (versionIds[index] === versionId && likeCounts[index] === likeCount) return [];
          return [{ id, authorId, versionId, content: contentOf(versionId), likeCount }];
        }),
        goneIds: ids.filter((id) => !posts.has(id)),
      });
      const { posts, goneIds } = world().postRows.whole(call, find, (found) => found.goneIds.length === 0);
      return gates.pass(gateOf(call, "viewPosts"), {
        posts,
        versionIds: posts.map(({ versionId }) => versionId),
        goneIds,
        likes: viewers.map(({ viewerId, postIds }) => ({
          viewerId,
          postIds: postIds.filter((id) => likes.has(`${viewerId} ${id}`)),
        })),
      });
    },
  };
}

/** What a post says in a version of it. */
export function contentOf(versionId: bigint): string {
  return `post ${versionId}`;
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
    listFollowees: ({ userId }, call) => {
      const followeeIds = world().followees(userId, world().followRows.reads(call));
      return gates.pass(gateOf(call, "listFollowees"), { followeeIds });
    },
    listCelebrities: ({ knownVersion }, call) => {
      const { version, authorIds } = world().celebrities();
      const isKnown = version === knownVersion;
      return gates.pass(gateOf(call, "listCelebrities"), { version, authorIds: isKnown ? [] : authorIds });
    },
    filterFollowees: ({ userId, candidateIds }, call) => {
      const followees = world().followees(userId, world().followRows.reads(call));
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
