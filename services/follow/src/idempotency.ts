import { toBinary, type DescMethodUnary, type MessageShape } from "@bufbuild/protobuf";
import { idempotent, requireCaller, type Call, type Queryable } from "@chirrup/platform";

/**
 * Does a write that answers nothing once for each Idempotency-Key of the caller. To be called first thing
 * in the write's transaction. INVALID_ARGUMENT when the key came with another request before.
 *
 * *Why, when each rpc twice is once*: a repeated Follow must not undo an Unfollow that came between.
 */
export async function oncePerKey<M extends DescMethodUnary>(
  tx: Queryable,
  call: Call,
  method: M,
  request: MessageShape<M["input"]>,
  work: () => Promise<void>,
): Promise<void> {
  if (call.idempotencyKey === undefined) return work();
  await idempotent(
    tx,
    {
      callerId: requireCaller(call).userId,
      key: call.idempotencyKey,
      method: `${method.parent.typeName}/${method.name}`,
      request: toBinary(method.input, request),
    },
    async () => {
      await work();
      return new Uint8Array();
    },
  );
}
