import { badRequest } from "../errors/failure.ts";
import type { RequestHead } from "./request-head.ts";

const unitMs: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 0.001,
  n: 0.000_001,
};

/**
 * How long the client waits, in milliseconds: Grpc-Timeout ("100m", as gRPC over HTTP/2 has it) or Request-Timeout (in
 * seconds, "1.5"). Undefined when it says nothing. Throws INVALID_ARGUMENT for anything else.
 */
export function timeoutOf({ grpcTimeout, requestTimeout }: RequestHead): number | undefined {
  if (grpcTimeout !== undefined) {
    const [, digits, unit = ""] = /^([0-9]{1,8})([HMSmun])$/.exec(grpcTimeout) ?? [];
    if (digits === undefined)
      throw wrong("Grpc-Timeout", "must be up to 8 digits and one of H, M, S, m, u, n");
    return Math.max(1, Math.ceil(Number(digits) * (unitMs[unit] ?? 1)));
  }
  if (requestTimeout === undefined) return undefined;
  if (!/^[0-9]{1,9}(?:\.[0-9]{1,3})?$/.test(requestTimeout)) {
    throw wrong("Request-Timeout", "must be a number of seconds");
  }
  return Math.max(1, Math.ceil(Number(requestTimeout) * 1_000));
}

function wrong(field: string, description: string): Error {
  return badRequest([{ field, description }]);
}
