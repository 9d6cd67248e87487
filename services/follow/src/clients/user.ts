import { createClient, type Channel } from "@chirrup/grpc";
import { notFound, type Call } from "@chirrup/platform";
import { UserService } from "@chirrup/proto/chirrup/user/v1/user_service";

/** What the user service knows and this service asks. */
export interface Users {
  /** Asks its primary. NOT_FOUND when no such user exists; UNAVAILABLE when the user service cannot say. One round trip. */
  requireExisting(userId: bigint, call: Pick<Call, "onward">): Promise<void>;
}

export function createUsers(channel: Channel): Users {
  const client = createClient(UserService, channel);
  return {
    async requireExisting(userId, call) {
      const { users } = await client.batchGetUsers({ ids: [userId] }, call.onward({ readsPrimary: true }));
      if (users.length === 0) throw notFound("user", userId);
    },
  };
}
