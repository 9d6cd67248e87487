import { type CallOptions, type Channel, createClient } from "@chirrup/grpc";
import { type User, UserService } from "@chirrup/proto/chirrup/user/v1/user_service";
import { chunksOf } from "../domain/chunks.ts";

/** What the feed asks of the user service. */
export interface UserClient {
  /** Those users that exist. Any number of ids; one call per 100. */
  getUsers(userIds: readonly bigint[], options: CallOptions): Promise<ReadonlyMap<bigint, User>>;
}

const maxIds = 100;

/** The user service at the other end of a channel. */
export function createUserClient(channel: Channel): UserClient {
  const client = createClient(UserService, channel);
  return {
    async getUsers(userIds, options) {
      const answers = await Promise.all(
        chunksOf(userIds, maxIds).map((ids) => client.batchGetUsers({ ids }, options)),
      );
      return new Map(answers.flatMap(({ users }) => users.map((user) => [user.id, user])));
    },
  };
}
