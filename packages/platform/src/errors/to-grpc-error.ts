import { create, toBinary, type DescMessage, type MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { GrpcError, Status, type ErrorDetail } from "@chirrup/grpc";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "@chirrup/proto/google/rpc/error_details";

import { DomainError } from "./domain-error.ts";

/** `google.rpc.ErrorInfo.domain` of every reason of this platform. */
export const errorDomain = "chirrup";

/**
 * Codes of a failed onward call that say something about this process or its peers and nothing about the request of
 * the caller. UNAUTHENTICATED among them: it would sign out a user because a service has the wrong peer secret.
 */
const ownFaults: ReadonlySet<Status> = new Set<Status>([
  Status.UNKNOWN,
  Status.UNIMPLEMENTED,
  Status.INTERNAL,
  Status.DATA_LOSS,
  Status.UNAUTHENTICATED,
]);

/**
 * The status that a caller is shown. A DomainError keeps its code and message and gains the details BadRequest,
 * ErrorInfo and RetryInfo; a failed onward call passes when it speaks of the request; anything else is INTERNAL
 * "internal error". The error itself is the result's cause, for the logs.
 */
export function toGrpcError(error: unknown): GrpcError {
  if (error instanceof DomainError) {
    return new GrpcError(error.code, error.message, { details: detailsOf(error), cause: error });
  }
  if (error instanceof GrpcError && !ownFaults.has(error.code)) return error;
  return new GrpcError(Status.INTERNAL, "internal error", { cause: error });
}

function detailsOf(error: DomainError): ErrorDetail[] {
  const details = [pack(ErrorInfoSchema, { reason: error.reason, domain: errorDomain })];
  if (error.violations.length > 0) {
    const fieldViolations = error.violations.map(({ field, description }) => ({ field, description }));
    details.push(pack(BadRequestSchema, { fieldViolations }));
  }
  if (error.retryAfterMs !== undefined) {
    details.push(pack(RetryInfoSchema, { retryDelay: durationFromMs(error.retryAfterMs) }));
  }
  return details;
}

function pack<S extends DescMessage>(schema: S, init: MessageInitShape<S>): ErrorDetail {
  return {
    typeUrl: `type.googleapis.com/${schema.typeName}`,
    value: toBinary(schema, create(schema, init)),
  };
}
