import { fromBinary } from "@bufbuild/protobuf";
import { GrpcError, Status } from "@chirrup/grpc";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "@chirrup/proto/google/rpc/error_details";
import { describe, expect, it } from "vitest";

import { alreadyExists, invalidArgument, notFound, resourceExhausted } from "./domain-error.ts";
import { toGrpcError } from "./to-grpc-error.ts";

const byType = (error: GrpcError): Map<string, Uint8Array> =>
  new Map(
    error.details.map(({ typeUrl, value }) => [
      typeUrl.replace("type.googleapis.com/google.rpc.", ""),
      value,
    ]),
  );

describe("toGrpcError", () => {
  it("names every wrong field in a BadRequest", () => {
    const violations = [
      { field: "username", description: "is too short" },
      { field: "email", description: "is no address" },
    ];
    const error = toGrpcError(invalidArgument(violations));
    expect(error).toMatchObject({
      code: Status.INVALID_ARGUMENT,
      message: "username: is too short; email: is no address",
    });
    const bytes = byType(error).get("BadRequest") ?? new Uint8Array();
    expect(fromBinary(BadRequestSchema, bytes).fieldViolations).toMatchObject(violations);
  });

  it.each([
    [notFound("post", 7n), Status.NOT_FOUND, "POST_NOT_FOUND"],
    [alreadyExists("userName", "is taken"), Status.ALREADY_EXISTS, "USER_NAME_TAKEN"],
  ])("gives its reason in an ErrorInfo: %s", (domainError, code, reason) => {
    const error = toGrpcError(domainError);
    expect(error.code).toBe(code);
    const info = fromBinary(ErrorInfoSchema, byType(error).get("ErrorInfo") ?? new Uint8Array());
    expect(info).toMatchObject({ reason, domain: "chirrup" });
  });

  it("says in a RetryInfo when to come back", () => {
    const error = toGrpcError(resourceExhausted("slow down", 1_500));
    const info = fromBinary(RetryInfoSchema, byType(error).get("RetryInfo") ?? new Uint8Array());
    expect(info.retryDelay).toMatchObject({ seconds: 1n, nanos: 500_000_000 });
    expect(byType(toGrpcError(resourceExhausted("slow down"))).has("RetryInfo")).toBe(false);
  });

  it("hides what is nobody's business and keeps it as the cause", () => {
    const bug = new TypeError("hunter2 is undefined");
    expect(toGrpcError(bug)).toMatchObject({ code: Status.INTERNAL, message: "internal error", cause: bug });
  });

  it("passes what a peer said of the request, not what it said of us", () => {
    const missing = new GrpcError(Status.NOT_FOUND, "there is no user 7");
    expect(toGrpcError(missing)).toBe(missing);
    const badSecret = new GrpcError(Status.UNAUTHENTICATED, "the peer did not prove itself");
    expect(toGrpcError(badSecret)).toMatchObject({ code: Status.INTERNAL, message: "internal error" });
  });
});
