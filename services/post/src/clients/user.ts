import { type Channel, createClient } from "@chirrup/grpc";
import type { Call } from "@chirrup/platform";
import { UserService } from "@chirrup/proto/chirrup/user/v1/user_service";

/** What this service asks of the user service. */
export interface Users {
  /** Whether an account has this id. One round trip; raises what the call raises. */
  exists(userId: bigint, call: Call): Promise<boolean>;
}

export function createUsers(channel: Channel): Users {
  const client = createClient(UserService, channel);
  return {
    async exists(userId, call) {
      const { users } = await client.batchGetUsers({ ids: [userId] }, call.onward());
      return users.length > 0;
    },
  };
}
