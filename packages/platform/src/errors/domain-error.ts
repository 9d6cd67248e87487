import { Status } from "@chirrup/grpc";

export interface FieldViolation {
  /** The request's field by its JSON name, "content"; a path with dots when nested. */
  readonly field: string;
  /** What is wrong with it, for the caller to read. Never the value. */
  readonly description: string;
}

export interface DomainErrorOptions {
  readonly violations?: readonly FieldViolation[];
  /** When it is worth trying again, in milliseconds from now. */
  readonly retryAfterMs?: number;
  /** For the logs; never sent. */
  readonly cause?: unknown;
}

/** A refusal that the caller is meant to see, whole: everything in it but the cause is sent. */
export class DomainError extends Error {
  readonly code: Status;
  /** What a program decides by, in UPPER_SNAKE: "POST_NOT_FOUND". */
  readonly reason: string;
  readonly violations: readonly FieldViolation[];
  readonly retryAfterMs: number | undefined;

  constructor(code: Status, reason: string, message: string, options: DomainErrorOptions = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.name = "DomainError";
    this.code = code;
    this.reason = reason;
    this.violations = options.violations ?? [];
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** INVALID_ARGUMENT naming each wrong field. */
export function invalidArgument(violations: FieldViolation | readonly FieldViolation[]): DomainError {
  const all = Array.isArray(violations)
    ? (violations as readonly FieldViolation[])
    : [violations as FieldViolation];
  const message = all.map(({ field, description }) => `${field}: ${description}`).join("; ");
  return new DomainError(Status.INVALID_ARGUMENT, "INVALID_ARGUMENT", message, { violations: all });
}

/** NOT_FOUND; `notFound("post", 7n)` has the reason POST_NOT_FOUND. */
export function notFound(resource: string, id: bigint | string): DomainError {
  return new DomainError(
    Status.NOT_FOUND,
    `${upperSnake(resource)}_NOT_FOUND`,
    `there is no ${resource} ${id}`,
  );
}

/** ALREADY_EXISTS; `alreadyExists("username", …)` has the reason USERNAME_TAKEN and names the field. */
export function alreadyExists(field: string, description: string): DomainError {
  return new DomainError(Status.ALREADY_EXISTS, `${upperSnake(field)}_TAKEN`, `${field}: ${description}`, {
    violations: [{ field, description }],
  });
}

/** PERMISSION_DENIED: the caller is known, and may not. */
export function permissionDenied(message: string): DomainError {
  return new DomainError(Status.PERMISSION_DENIED, "PERMISSION_DENIED", message);
}

/** UNAUTHENTICATED: it is not known who calls. */
export function unauthenticated(message: string): DomainError {
  return new DomainError(Status.UNAUTHENTICATED, "UNAUTHENTICATED", message);
}

/** FAILED_PRECONDITION: not in this state, and trying again does not help. */
export function failedPrecondition(reason: string, message: string): DomainError {
  return new DomainError(Status.FAILED_PRECONDITION, reason, message);
}

/** RESOURCE_EXHAUSTED: too much, for now. */
export function resourceExhausted(message: string, retryAfterMs?: number): DomainError {
  return new DomainError(Status.RESOURCE_EXHAUSTED, "RESOURCE_EXHAUSTED", message, retry(retryAfterMs));
}

/** The reason of what is refused because of all callers together, whoever it was: the next would be refused, too. */
export const overloadedReason = "OVERLOADED";

/** RESOURCE_EXHAUSTED with `overloadedReason`: there is no room for more of the kind, for now. */
export function overloaded(message: string, retryAfterMs: number): DomainError {
  return new DomainError(Status.RESOURCE_EXHAUSTED, overloadedReason, message, { retryAfterMs });
}

/** UNAVAILABLE: nothing is wrong with the request; trying again may help. */
export function unavailable(message: string, retryAfterMs?: number): DomainError {
  return new DomainError(Status.UNAVAILABLE, "UNAVAILABLE", message, retry(retryAfterMs));
}

function retry(retryAfterMs: number | undefined): DomainErrorOptions {
  return retryAfterMs === undefined ? {} : { retryAfterMs };
}

function upperSnake(name: string): string {
  return name
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replaceAll(/[^A-Za-z0-9]+/g, "_")
    .toUpperCase();
}
