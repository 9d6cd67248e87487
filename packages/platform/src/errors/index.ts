export {
  alreadyExists,
  DomainError,
  failedPrecondition,
  invalidArgument,
  notFound,
  overloaded,
  overloadedReason,
  permissionDenied,
  resourceExhausted,
  unauthenticated,
  unavailable,
  type DomainErrorOptions,
  type FieldViolation,
} from "./domain-error.ts";
export { errorDomain, toGrpcError } from "./to-grpc-error.ts";
