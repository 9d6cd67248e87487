import { fromBinary, type DescField, type DescMessage } from "@bufbuild/protobuf";
import { createWireReader } from "../json/wire-reader.ts";
import { createWireWriter, type WireWriter } from "../json/wire-writer.ts";
import { getField, type Fields } from "./field-path.ts";

/** A `google.api.HttpBody` without its extensions: a body that is no JSON. */
export interface HttpBody {
  readonly contentType: string;
  readonly data: Buffer;
}

export function isHttpBody(desc: DescMessage | undefined): boolean {
  return desc?.typeName === "google.api.HttpBody";
}

export function writeHttpBody(writer: WireWriter, { contentType, data }: HttpBody): void {
  writer.tag(1, 2);
  writer.string(contentType);
  writer.tag(2, 2);
  writer.bytes(data);
}

/** As a field of a request. */
export function writeHttpBodyField(field: DescField, body: HttpBody): Buffer {
  const writer = createWireWriter();
  writer.tag(field.number, 2);
  const place = writer.begin();
  writeHttpBody(writer, body);
  writer.end(place);
  return writer.finish();
}

export function readHttpBody(bytes: Uint8Array): HttpBody {
  const reader = createWireReader(bytes);
  let contentType = "";
  let data: Buffer = Buffer.alloc(0);
  while (reader.pos < reader.bytes.length) {
    const tag = reader.uint32();
    if (tag !== 10 && tag !== 18) {
      if (!reader.skip(tag)) throw new Error("an HttpBody holds a group");
      continue;
    }
    const end = reader.limit();
    const value = reader.bytes.subarray(reader.pos, end);
    if (tag === 10) contentType = value.toString("utf8");
    else data = value;
    reader.pos = end;
  }
  return { contentType: safeType(contentType), data };
}

/** The field of a response that is one. */
export function readHttpBodyField(desc: DescMessage, field: DescField, bytes: Uint8Array): HttpBody {
  const fields: Fields = fromBinary(desc, bytes);
  const body = getField(fields, field) as { contentType: string; data: Uint8Array } | undefined;
  return { contentType: safeType(body?.contentType ?? ""), data: Buffer.from(body?.data ?? []) };
}

// https://www.rfc-editor.org/rfc/rfc9110#name-media-type, with parameters.
const typePattern =
  /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(?:\s*;\s*[\w!#$&^.+-]+=(?:[\w!#$&^.+-]+|"[^"\\\p{Cc}]*"))*$/u;

function safeType(contentType: string): string {
  return typePattern.test(contentType) ? contentType : "application/octet-stream";
}
