import { type CallOptions, type Channel, createClient } from "@chirrup/grpc";
import { FollowService, type StreamFollowersResponse } from "@chirrup/proto/chirrup/follow/v1/follow_service";

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
   * state that held before the first.
   */
  streamFollowers(
    userId: bigint,
    range: { readonly afterId: bigint; readonly pageSize: number },
    options: CallOptions,
  ): AsyncIterable<Pick<StreamFollowersResponse, "state" | "followerIds">>;
  /** Moves rising to celebrity, falling to normal; nothing when the epoch is an old one. */
  advanceCelebrityState(userId: bigint, epoch: bigint, options: CallOptions): Promise<void>;
}

/** The follow service at the other end of a channel. */
export function createFollowClient(channel: Channel): FollowClient {
  const client = createClient(FollowService, channel);
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
    streamFollowers(userId, { afterId, pageSize }, options) {
      return client.streamFollowers({ userId, afterUserId: afterId, pageSize }, options);
    },
    async advanceCelebrityState(userId, epoch, options) {
      await client.advanceCelebrityState({ userId, epoch }, options);
    },
  };
}
