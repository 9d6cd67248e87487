import { toBinary } from "@bufbuild/protobuf";
import { idempotent, requireCaller } from "@chirrup/platform";
import { UpdateMeRequestSchema } from "@chirrup/proto/chirrup/user/v1/user_service";
import { announce } from "../announce.ts";
import type { Context, Rpc } from "../context.ts";
import { checkBio, checkDisplayName } from "../domain/profile.ts";
import { allValid } from "../domain/validation.ts";
import { presentAccount } from "../present.ts";
import { accountGone, requireAccount } from "../require-account.ts";
import { updateProfile } from "../store/account.ts";

const nothing = new Uint8Array();

/** Changes the fields that are present; with none it answers the account as it is. */
export function updateMe(context: Context): Rpc["updateMe"] {
  const { postgres } = context;
  return async (request, call) => {
    const { userId } = requireCaller(call);
    const { displayName, bio } = allValid({
      displayName: request.displayName === undefined ? absent : checkDisplayName(request.displayName),
      bio: request.bio === undefined ? absent : checkBio(request.bio),
    });
    if (displayName !== undefined || bio !== undefined) {
      await postgres.transaction((tx) =>
        idempotent(
          tx,
          {
            callerId: userId,
            key: call.idempotencyKey,
            method: "chirrup.user.v1.UserService/UpdateMe",
            request: toBinary(UpdateMeRequestSchema, request),
          },
          async () => {
            if ((await updateProfile(tx, userId, { displayName, bio })) === undefined) throw accountGone();
            await announce(context, tx, call, userId, { case: "userUpdated", value: { userId } });
            // The account is read below instead of stored here: an e-mail must not outlive its account.
            return nothing;
          },
        ),
      );
    }
    const { account } = await requireAccount(postgres, call);
    return { user: presentAccount(account) };
  };
}

const absent = { value: undefined };
