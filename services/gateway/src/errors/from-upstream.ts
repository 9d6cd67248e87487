import { fromBinary, toJson, type DescMessage } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import { GrpcError, Status, type ErrorDetail } from "@chirrup/grpc";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  HelpSchema,
  LocalizedMessageSchema,
  PreconditionFailureSchema,
  QuotaFailureSchema,
  ResourceInfoSchema,
  RetryInfoSchema,
} from "@chirrup/proto/google/rpc/error_details";
import {
  challenge,
  deadlineExceeded,
  Failure,
  internal,
  typeUrlPrefix,
  unavailable,
  type FailureOptions,
  type JsonDetail,
} from "./failure.ts";

/** The details that are meant for clients. DebugInfo is not, and RequestInfo is the gateway's own. */
const publicDetails: ReadonlyMap<string, DescMessage> = new Map(
  [
    BadRequestSchema,
    ErrorInfoSchema,
    HelpSchema,
    LocalizedMessageSchema,
    PreconditionFailureSchema,
    QuotaFailureSchema,
    ResourceInfoSchema,
    RetryInfoSchema,
  ].map((schema) => [schema.typeName, schema]),
);

/**
 * What the client is told about a call that failed. Codes whose message may come from the transport or from
 * a crash (UNKNOWN, INTERNAL, UNAVAILABLE, …) get a fixed text, since theirs may name hosts and internals.
 */
export function fromUpstream(error: unknown): Failure {
  if (!(error instanceof GrpcError)) return internal(error);
  const { details, retryAfterSeconds } = readDetails(error.details);
  const headers = retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) };
  const options: FailureOptions = { details, headers, cause: error };
  switch (error.code) {
    case Status.INVALID_ARGUMENT:
    case Status.NOT_FOUND:
    case Status.ALREADY_EXISTS:
    case Status.PERMISSION_DENIED:
    case Status.FAILED_PRECONDITION:
    case Status.ABORTED:
    case Status.OUT_OF_RANGE:
      return new Failure(error.code, error.message, options);
    case Status.UNAUTHENTICATED:
      return new Failure(error.code, error.message, {
        ...options,
        headers: { ...headers, "www-authenticate": challenge(false) },
      });
    case Status.RESOURCE_EXHAUSTED:
      return new Failure(error.code, error.message, {
        ...options,
        headers: { "retry-after": "1", ...headers },
      });
    case Status.CANCELLED:
      return new Failure(error.code, "cancelled", { cause: error });
    case Status.UNIMPLEMENTED:
      return new Failure(error.code, "not implemented", { cause: error });
    case Status.DEADLINE_EXCEEDED:
      return deadlineExceeded(error);
    case Status.UNAVAILABLE:
      return retryAfterSeconds === undefined
        ? unavailable(error)
        : new Failure(error.code, "unavailable, try again soon", options);
    default:
      return internal(error);
  }
}

function readDetails(details: readonly ErrorDetail[]): {
  details: readonly JsonDetail[];
  retryAfterSeconds: number | undefined;
} {
  const read: JsonDetail[] = [];
  let retryAfterSeconds: number | undefined;
  for (const { typeUrl, value } of details) {
    const schema = publicDetails.get(typeUrl.slice(typeUrl.lastIndexOf("/") + 1));
    if (schema === undefined) continue;
    try {
      const json = toJson(schema, fromBinary(schema, value));
      if (json === null || typeof json !== "object" || Array.isArray(json)) continue;
      read.push({ "@type": `${typeUrlPrefix}${schema.typeName}`, ...json });
      if (schema === RetryInfoSchema) retryAfterSeconds = retrySeconds(value);
    } catch {
      // A detail that cannot be read is left out: the code and the message still tell what happened.
    }
  }
  return { details: read, retryAfterSeconds };
}

function retrySeconds(value: Uint8Array): number {
  const { retryDelay } = fromBinary(RetryInfoSchema, value);
  return retryDelay === undefined ? 1 : Math.max(1, Math.ceil(durationMs(retryDelay) / 1000));
}
