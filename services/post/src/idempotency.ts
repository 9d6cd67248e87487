import { type DescMethodUnary, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { type Call, idempotent, type Queryable, requireCaller } from "@chirrup/platform";

/**
 * Does a write once for each Idempotency-Key of the caller: a repeated call gets the first one's response.
 * To be called first thing in the write's transaction. UNAUTHENTICATED without a caller, INVALID_ARGUMENT
 * when the key came with another request before.
 */
export async function oncePerKey<M extends DescMethodUnary>(
  tx: Queryable,
  call: Call,
  method: M,
  request: MessageShape<M["input"]>,
  work: () => Promise<MessageShape<M["output"]>>,
): Promise<MessageShape<M["output"]>> {
  if (call.idempotencyKey === undefined) return work();
  const response = await idempotent(
    tx,
    {
      callerId: requireCaller(call).userId,
      key: call.idempotencyKey,
      method: `${method.parent.typeName}/${method.name}`,
      request: toBinary(method.input, request),
    },
    async () => toBinary(method.output, await work()),
  );
  return fromBinary(method.output, response) as MessageShape<M["output"]>;
}
