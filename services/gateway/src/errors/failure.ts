import { Status, statusName } from "@chirrup/grpc";
import { httpStatusOf } from "./http-status.ts";
import type { Violation } from "./violation.ts";

/** A `google.protobuf.Any` in its JSON form. */
export interface JsonDetail {
  readonly "@type": string;
  readonly [field: string]: unknown;
}

export interface FailureOptions {
  /** Default: the canonical one of the code. */
  readonly httpStatus?: number;
  readonly details?: readonly JsonDetail[];
  /** For the answer, in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** For the log; never sent. */
  readonly cause?: unknown;
}

/** Why a request is answered with an error. All of it but the cause is shown to the client. */
export class Failure extends Error {
  readonly code: Status;
  readonly httpStatus: number;
  readonly details: readonly JsonDetail[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: Status, message: string, options: FailureOptions = {}) {
    super(message, { cause: options.cause });
    this.name = "Failure";
    this.code = code;
    this.httpStatus = options.httpStatus ?? httpStatusOf(code);
    this.details = options.details ?? [];
    this.headers = options.headers ?? {};
  }

  override toString(): string {
    return `${this.name} ${statusName(this.code)}: ${this.message}`;
  }
}

export const typeUrlPrefix = "type.googleapis.com/";

/** The JSON of google.rpc.Status. */
export function failureJson({ code, message, details }: Failure, requestId: string): object {
  return {
    code,
    message,
    details: [...details, { "@type": `${typeUrlPrefix}google.rpc.RequestInfo`, requestId }],
  };
}

/** The same as RFC 9457 has it: the reason is the title, and the status' parts are extensions. */
export function problemJson(failure: Failure, requestId: string): object {
  const { code, httpStatus, message } = failure;
  return {
    type: "about:blank",
    title: statusName(code),
    status: httpStatus,
    detail: message,
    instance: `urn:chirrup:request:${requestId}`,
    ...failureJson(failure, requestId),
  };
}

export function failureBody(failure: Failure, requestId: string): string {
  return JSON.stringify(failureJson(failure, requestId));
}

function errorInfo(reason: string): JsonDetail {
  return { "@type": `${typeUrlPrefix}google.rpc.ErrorInfo`, reason, domain: "chirrup" };
}

function retryInfo(delaySeconds: number): JsonDetail {
  return { "@type": `${typeUrlPrefix}google.rpc.RetryInfo`, retryDelay: `${delaySeconds}s` };
}

/** 400 with every fault that was found; at least one. */
export function badRequest(violations: readonly Violation[]): Failure {
  const [first] = violations;
  return new Failure(
    Status.INVALID_ARGUMENT,
    `${first?.field ?? "request"} ${first?.description ?? "is wrong"}`,
    {
      // In the order and with the reason that services give, so that it does not show who found the fault.
      details: [
        errorInfo("INVALID_ARGUMENT"),
        { "@type": `${typeUrlPrefix}google.rpc.BadRequest`, fieldViolations: violations },
      ],
    },
  );
}

/** Faults of HTTP's own that have a status but no gRPC code: 408, 413, 414, 415, 417, 431. */
export function badHttp(httpStatus: number, reason: string, message: string): Failure {
  return new Failure(Status.INVALID_ARGUMENT, message, { httpStatus, details: [errorInfo(reason)] });
}

export function headersTooLarge(): Failure {
  return badHttp(431, "HEADERS_TOO_LARGE", "the headers are too large");
}

export function requestTimeout(): Failure {
  return badHttp(408, "REQUEST_TIMEOUT", "the request took too long to arrive");
}

export function unexpected(): Failure {
  return badHttp(417, "EXPECTATION_FAILED", "only 100-continue can be expected");
}

export function routeNotFound(): Failure {
  return new Failure(Status.NOT_FOUND, "there is nothing at this path", {
    details: [errorInfo("ROUTE_NOT_FOUND")],
  });
}

export function methodNotAllowed(allow: string): Failure {
  return new Failure(Status.UNIMPLEMENTED, `this path answers ${allow}`, {
    httpStatus: 405,
    details: [errorInfo("METHOD_NOT_ALLOWED")],
    headers: { allow },
  });
}

/** 401 after RFC 6750 section 3: a challenge names an error only when credentials came. */
export function unauthenticated(credentialsCame: boolean): Failure {
  return new Failure(
    Status.UNAUTHENTICATED,
    credentialsCame ? "the access token is not valid" : "sign in first",
    {
      details: [errorInfo(credentialsCame ? "ACCESS_TOKEN_INVALID" : "ACCESS_TOKEN_MISSING")],
      headers: { "www-authenticate": challenge(credentialsCame) },
    },
  );
}

export function challenge(credentialsCame: boolean): string {
  return credentialsCame ? 'Bearer realm="chirrup", error="invalid_token"' : 'Bearer realm="chirrup"';
}

export function originNotProven(): Failure {
  return new Failure(Status.PERMISSION_DENIED, "the request does not come from an allowed origin", {
    details: [errorInfo("ORIGIN_NOT_ALLOWED")],
  });
}

export function tooManyRequests(retryAfterSeconds: number): Failure {
  return new Failure(Status.RESOURCE_EXHAUSTED, "too many requests", {
    details: [errorInfo("RATE_LIMITED"), retryInfo(retryAfterSeconds)],
    headers: { "retry-after": String(retryAfterSeconds) },
  });
}

export function unavailable(cause?: unknown): Failure {
  return new Failure(Status.UNAVAILABLE, "unavailable, try again soon", {
    details: [errorInfo("UNAVAILABLE"), retryInfo(1)],
    headers: { "retry-after": "1" },
    cause,
  });
}

export function overloaded(): Failure {
  return new Failure(Status.UNAVAILABLE, "too many requests at once, try again soon", {
    details: [errorInfo("OVERLOADED"), retryInfo(1)],
    headers: { "retry-after": "1" },
  });
}

export function deadlineExceeded(cause?: unknown): Failure {
  return new Failure(Status.DEADLINE_EXCEEDED, "the deadline passed", {
    details: [errorInfo("DEADLINE_EXCEEDED")],
    cause,
  });
}

/** 499: nobody is there to read it, but for the log. */
export function clientGone(cause?: unknown): Failure {
  return new Failure(Status.CANCELLED, "the client left", { cause });
}

export function internal(cause: unknown): Failure {
  return new Failure(Status.INTERNAL, "internal error", { cause });
}
