import { type CallOptions, type Channel, createClient } from "@chirrup/grpc";
import { FollowService, type StreamFollowersResponse } from "@chirrup/proto/chirrup/follow/v1/follow_service";
import { together } from "../domain/together.ts";

/** What the feed asks of the follow service. All of it is read from the primary. */
export interface FollowClient {
  /** All whom a user follows, at most 5,000. */
  listFollowees(userId: bigint, options: CallOptions): Promise<bigint[]>;
  /** All authors who are not *normal*; none when `knownVersion` (0 for none) is the version that holds. */
  listCelebrities(
    knownVersion: bigint,
    options: CallOptions,
  ): Promise<{ readonly version: bigint; readonly authorIds: readonly bigint[] }>;
  /** Which of at most 1,000 users a user follows. */
  filterFollowees(
    userId: bigint,
    candidateIds: readonly bigint[],
    options: CallOptions,
  ): Promise<ReadonlySet<bigint>>;
  /**
   * The followers with an id above `afterId` (0: all) in ascending order, in messages of up to `pageSize`, each with the
   * state that held when it or one before it was read. All who ask for all followers in one turn of the event loop
   * share an rpc for the first message.
   */
  streamFollowers(
    userId: bigint,
    range: { readonly afterId: bigint; readonly pageSize: number },
    options: CallOptions,
  ): AsyncIterable<Followers>;
  /** Moves rising to celebrity, falling to normal; nothing when the epoch is an old one. */
  advanceCelebrityState(userId: bigint, epoch: bigint, options: CallOptions): Promise<void>;
}

/** Some followers of an author, and the author's state. */
export type Followers = Pick<StreamFollowersResponse, "state" | "followerIds">;

interface Beginning {
  readonly userId: bigint;
  readonly pageSize: number;
  readonly options: CallOptions;
}

/** The most that the follow service takes at once. */
const mostAuthors = 32;

/** The follow service at the other end of a channel. */
export function createFollowClient(channel: Channel): FollowClient {
  const client = createClient(FollowService, channel);

  /** In the trace of the first; none of those who share the rpc ends it for the others. */
  const begin = together(
    mostAuthors,
    async (all: readonly Beginning[]): Promise<(Followers & { readonly isAll: boolean })[]> => {
      const pageSize = Math.min(...all.map((beginning) => beginning.pageSize));
      const metadata = all[0]?.options.metadata;
      const request = { userIds: all.map(({ userId }) => userId), pageSize };
      const { authors } = await client.listFirstFollowers(
        request,
        metadata === undefined ? {} : { metadata },
      );
      return authors.map(({ state, followerIds }) => ({
        state,
        followerIds,
        isAll: followerIds.length < pageSize,
      }));
    },
  );

  return {
    async listFollowees(userId, options) {
      return (await client.listFollowees({ userId }, options)).followeeIds;
    },
    listCelebrities(knownVersion, options) {
      return client.listCelebrities({ knownVersion }, options);
    },
    async filterFollowees(userId, candidateIds, options) {
      const request = { userId, candidateIds: [...candidateIds] };
      return new Set((await client.filterFollowees(request, options)).followeeIds);
    },
    async *streamFollowers(userId, { afterId, pageSize }, options) {
      let afterUserId = afterId;
      if (afterUserId === 0n) {
        const { state, followerIds, isAll } = await begin({ userId, pageSize, options });
        options.signal?.throwIfAborted();
        yield { state, followerIds };
        if (isAll) return;
        afterUserId = followerIds.at(-1) ?? 0n;
      }
      yield* client.streamFollowers({ userId, afterUserId, pageSize }, options);
    },
    async advanceCelebrityState(userId, epoch, options) {
      await client.advanceCelebrityState({ userId, epoch }, options);
    },
  };
}
