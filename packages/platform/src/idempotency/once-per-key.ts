import {
  create,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import type { Queryable } from "../postgres/index.ts";
import { type Call, requireCaller } from "../rpc/index.ts";
import { idempotent } from "./idempotent.ts";

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
  work: () => Promise<MessageInitShape<M["output"]>>,
): Promise<MessageShape<M["output"]>> {
  const answer = async (): Promise<MessageShape<M["output"]>> =>
    create(method.output, await work()) as MessageShape<M["output"]>;
  if (call.idempotencyKey === undefined) return answer();
  const response = await idempotent(
    tx,
    {
      callerId: requireCaller(call).userId,
      key: call.idempotencyKey,
      method: `${method.parent.typeName}/${method.name}`,
      request: toBinary(method.input, request),
    },
    async () => toBinary(method.output, await answer()),
  );
  return fromBinary(method.output, response) as MessageShape<M["output"]>;
}
