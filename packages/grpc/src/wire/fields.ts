import type { HpackEncoder } from "../hpack/encoder.ts";
import type { Field } from "../hpack/static-table.ts";
import { Metadata } from "../metadata.ts";

/** What gRPC over HTTP/2 keeps for itself; metadata of these names is neither sent nor shown. */
const reserved = new Set([
  "te",
  "content-type",
  "user-agent",
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
  "host",
  "grpc-timeout",
  "grpc-status",
  "grpc-message",
  "grpc-encoding",
  "grpc-accept-encoding",
]);
const shown = new Set(["user-agent"]);

/** Names whose values are of use to a thief and short enough to be guessed one by one (RFC 7541, section 7.1.3). */
const secret = new Set(["authorization", "cookie", "set-cookie"]);

/** Adds metadata to a header block. `repeated` is for what each call of a connection carries. */
export function encodeMetadata(encoder: HpackEncoder, metadata: Metadata, repeated: boolean): void {
  Metadata.each(metadata, (key, value) => {
    if (reserved.has(key)) return;
    const text = typeof value === "string" ? value.trim() : encodeBinary(value);
    if (secret.has(key)) encoder.field(key, text, "never");
    else if (repeated) encoder.field(key, text, "index");
    else encoder.varying(key, text);
  });
}

/** The metadata among a block's fields. */
export function decodeMetadata(fields: readonly Field[]): Metadata {
  const metadata = new Metadata();
  for (const { name, value } of fields) {
    if (name.startsWith(":") || (reserved.has(name) && !shown.has(name))) continue;
    if (!name.endsWith("-bin")) {
      Metadata.received(metadata, name, value);
      continue;
    }
    // Several values may have been joined on the way.
    for (const part of value.split(",")) {
      Metadata.received(metadata, name, Buffer.from(part.trim(), "base64"));
    }
  }
  return metadata;
}

/** The value of the first field of a name. */
export function fieldValue(fields: readonly Field[], name: string): string | undefined {
  for (const field of fields) if (field.name === name) return field.value;
  return undefined;
}

/** Base64 without padding, as the specification prefers. */
function encodeBinary(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64").replace(/=+$/, "");
}
