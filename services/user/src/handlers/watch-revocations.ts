import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { Context, Rpc } from "../context.ts";
import { allValid } from "../domain/validation.ts";

/** For gateways: the revocations that can still matter, then each as it commits, and heartbeats. */
export function watchRevocations({ revocations }: Context): Rpc["watchRevocations"] {
  return async function* ({ afterRevision }, call) {
    const wrong = { problem: "must be 0 or more" };
    allValid({ afterRevision: afterRevision < 0n ? wrong : { value: afterRevision } });
    for await (const update of revocations.watch(afterRevision, call.signal)) {
      yield {
        revoked: update.revocations.map(({ sessionId, forgetAt }) => ({
          sessionId,
          forgetAt: timestampFromDate(forgetAt),
        })),
        revision: update.revision,
        caughtUp: update.caughtUp,
      };
    }
  };
}
