import { fromBinary } from "@bufbuild/protobuf";
import { GrpcError, type Channel } from "@chirrup/grpc";
import { overloadedReason } from "@chirrup/platform";
import { ErrorInfoSchema } from "@chirrup/proto/google/rpc/error_details";

/**
 * How long after such an answer calls are held back, in milliseconds. Shorter than any line of a service's takes to run
 * empty, so that holding back costs it no work.
 */
const heldMs = 100;

/**
 * A channel that asks a service no more of what it has just said to have no room for, by the reason OVERLOADED: for a
 * moment calls of that method fail with the service's own answer. Why: in a flood a service that works at its limit would
 * spend on refusing what it lacks for working, and here the refusal is there already.
 *
 * @param now - In milliseconds, never backwards.
 */
export function holdBack(channel: Channel, now: () => number = () => performance.now()): Channel {
  const held = new Map<string, { readonly refusal: GrpcError; readonly untilMs: number }>();
  return {
    ...channel,
    async unary(path, message, options) {
      const full = held.get(path);
      if (full !== undefined) {
        if (now() < full.untilMs) throw full.refusal;
        held.delete(path);
      }
      try {
        return await channel.unary(path, message, options);
      } catch (error) {
        if (error instanceof GrpcError && isOverloaded(error)) {
          held.set(path, { refusal: error, untilMs: now() + heldMs });
        }
        throw error;
      }
    },
  };
}

function isOverloaded({ details }: GrpcError): boolean {
  return details.some(
    ({ typeUrl, value }) =>
      typeUrl.endsWith(`/${ErrorInfoSchema.typeName}`) && reasonOf(value) === overloadedReason,
  );
}

function reasonOf(info: Uint8Array): string | undefined {
  try {
    return fromBinary(ErrorInfoSchema, info).reason;
  } catch {
    return undefined;
  }
}
