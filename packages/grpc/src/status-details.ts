import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { StatusSchema } from "@chirrup/proto/google/rpc/status";

import type { ErrorDetail, GrpcError } from "./error.ts";

/** The trailer that carries a `google.rpc.Status` in its binary form. */
export const statusDetailsKey = "grpc-status-details-bin";

export function encodeStatusDetails(error: GrpcError): Uint8Array {
  const details = error.details.map(({ typeUrl, value }) => ({ typeUrl, value }));
  return toBinary(StatusSchema, create(StatusSchema, { code: error.code, message: error.message, details }));
}

/** The details in the trailer's bytes; none when they are no `google.rpc.Status`, for the status itself still holds. */
export function decodeStatusDetails(bytes: Uint8Array): ErrorDetail[] {
  try {
    return fromBinary(StatusSchema, bytes).details.map(({ typeUrl, value }) => ({ typeUrl, value }));
  } catch {
    return [];
  }
}
