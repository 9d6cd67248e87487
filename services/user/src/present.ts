import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampOf } from "@chirrup/platform";
import type { AccountSchema, UserSchema } from "@chirrup/proto/chirrup/user/v1/user_service";
import type { Account, Profile } from "./domain/account.ts";

/** As others see the account. Field by field: what is not named here does not leave. */
export function presentUser(profile: Profile): MessageInitShape<typeof UserSchema> {
  const { id, username, displayName, bio } = profile;
  return { id, username, displayName, bio, createdAt: timestampOf(id) };
}

/** As its owner sees the account. */
export function presentAccount(account: Account): MessageInitShape<typeof AccountSchema> {
  const { id, username, displayName, bio, email, emailVerified, secondFactor } = account;
  return { id, username, displayName, bio, createdAt: timestampOf(id), email, emailVerified, secondFactor };
}
