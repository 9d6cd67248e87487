import { Metadata as WireMetadata, type MetadataOptions, type StatusObject } from "@grpc/grpc-js";

import { GrpcError } from "./error.ts";
import { Metadata } from "./metadata.ts";
import { decodeStatusDetails, encodeStatusDetails, statusDetailsKey } from "./status-details.ts";
import { Status, statusOf } from "./status.ts";

/** Default limit of a message in either direction, 4 MiB. */
export const defaultMaxMessageBytes: number = 4 * 1024 * 1024;

/** Messages cross grpc-js as bytes: what it calls serialising is a view of the same memory. */
export function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function fromBuffer(bytes: Buffer): Uint8Array {
  return bytes;
}

export function toWireMetadata(
  parts: readonly (Metadata | undefined)[],
  options?: MetadataOptions,
): WireMetadata {
  const wire = new WireMetadata(options);
  for (const part of parts) {
    if (part === undefined) continue;
    for (const [key, value] of part.entries()) wire.add(key, value);
    for (const [key, value] of part.binaryEntries()) wire.add(key, toBuffer(value));
  }
  return wire;
}

export function fromWireMetadata(wire: WireMetadata): Metadata {
  const metadata = new Metadata();
  for (const [key, values] of Object.entries(wire.toJSON())) {
    for (const value of values) {
      if (typeof value === "string") metadata.append(key, value);
      else metadata.appendBinary(key, value);
    }
  }
  return metadata;
}

/** The error that a client sees for a status that is not OK. */
export function errorFromWire(status: StatusObject, cause?: unknown): GrpcError {
  const [bytes] = status.metadata.get(statusDetailsKey);
  const details = bytes instanceof Buffer ? decodeStatusDetails(bytes) : [];
  return new GrpcError(statusOf(status.code), status.details, { details, cause });
}

/** The status that a server sends for whatever an implementation threw. */
export function errorToWire(error: unknown, trailers: Metadata): StatusObject {
  const shown = error instanceof GrpcError ? error : new GrpcError(Status.INTERNAL, "internal error");
  const metadata = toWireMetadata([trailers]);
  if (shown.details.length > 0) metadata.set(statusDetailsKey, toBuffer(encodeStatusDetails(shown)));
  // grpc-js percent-encodes the text, which throws for a lone surrogate.
  return { code: shown.code, details: shown.message.toWellFormed(), metadata };
}

/** RESOURCE_EXHAUSTED for a message above the limit, which then never leaves this process. */
export function checkSize(bytes: Uint8Array, maxBytes: number): void {
  if (bytes.byteLength <= maxBytes) return;
  throw new GrpcError(Status.RESOURCE_EXHAUSTED, `message of ${bytes.byteLength} bytes is above ${maxBytes}`);
}
