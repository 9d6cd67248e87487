import type { HeaderBlock } from "../hpack/decoder.ts";
import type { HpackEncoder } from "../hpack/encoder.ts";
import { GrpcError } from "../error.ts";
import type { Metadata } from "../metadata.ts";
import { decodeStatusDetails, encodeStatusDetails, statusDetailsKey } from "../status-details.ts";
import { Status, statusOf } from "../status.ts";
import { ErrorCode } from "../http2/protocol.ts";
import { encodeMetadata, fieldValue } from "./fields.ts";
import { decodeMessage, encodeMessage } from "./percent.ts";

/** What the fields of an answer mean to its client, apart from metadata. */
export interface ResponseFields {
  readonly httpStatus: string | undefined;
  readonly contentType: string | undefined;
  readonly encoding: string | undefined;
  /** `grpc-status`; undefined without one. */
  readonly status: string | undefined;
}

/** Reads a block of an answer; one that comes again is read once. */
export function responseFields(block: HeaderBlock): ResponseFields {
  const known = block.meaning as ResponseFields | undefined;
  if (known !== undefined) return known;
  const read: ResponseFields = {
    httpStatus: fieldValue(block.fields, ":status"),
    contentType: fieldValue(block.fields, "content-type"),
    encoding: fieldValue(block.fields, "grpc-encoding"),
    status: fieldValue(block.fields, "grpc-status"),
  };
  block.meaning = read;
  return read;
}

/** The error that trailers tell of; undefined for OK. */
export function errorOfTrailers(block: HeaderBlock): GrpcError | undefined {
  const { status } = responseFields(block);
  if (status === "0") return undefined;
  if (status === undefined) return new GrpcError(Status.UNKNOWN, "the answer has no status");
  const code = /^\d{1,4}$/.test(status) ? statusOf(Number(status)) : Status.UNKNOWN;
  const details = fieldValue(block.fields, statusDetailsKey);
  return new GrpcError(code, decodeMessage(fieldValue(block.fields, "grpc-message") ?? ""), {
    details: details === undefined ? [] : decodeStatusDetails(Buffer.from(details, "base64")),
  });
}

/** Adds the trailers of a call that failed. */
export function encodeError(encoder: HpackEncoder, error: GrpcError, trailers: Metadata | undefined): void {
  encoder.field("grpc-status", String(error.code), "index");
  const message = encodeMessage(error.message);
  if (message !== "") encoder.varying("grpc-message", message);
  if (trailers !== undefined) encodeMetadata(encoder, trailers, false);
  if (error.details.length === 0) return;
  encoder.varying(statusDetailsKey, Buffer.from(encodeStatusDetails(error)).toString("base64"));
}

/** What a proxy or another server meant that does not speak gRPC (doc/http-grpc-status-mapping.md of grpc). */
export function statusOfHttp(httpStatus: string | undefined): Status {
  switch (httpStatus) {
    case "400":
      return Status.INTERNAL;
    case "401":
      return Status.UNAUTHENTICATED;
    case "403":
      return Status.PERMISSION_DENIED;
    case "404":
      return Status.UNIMPLEMENTED;
    case "429":
    case "502":
    case "503":
    case "504":
      return Status.UNAVAILABLE;
    default:
      return Status.UNKNOWN;
  }
}

/** The status of a stream that was reset with an HTTP/2 error code (PROTOCOL-HTTP2.md of grpc, "Errors"). */
export function statusOfReset(code: number): Status {
  switch (code) {
    case ErrorCode.REFUSED_STREAM:
      return Status.UNAVAILABLE;
    case ErrorCode.CANCEL:
      return Status.CANCELLED;
    case ErrorCode.ENHANCE_YOUR_CALM:
      return Status.RESOURCE_EXHAUSTED;
    case ErrorCode.INADEQUATE_SECURITY:
      return Status.PERMISSION_DENIED;
    default:
      return Status.INTERNAL;
  }
}
