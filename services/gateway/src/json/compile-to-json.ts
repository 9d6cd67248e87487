import { isUtf8 } from "node:buffer";
import { fromBinary, toJson, type DescField, type DescMessage, type Registry } from "@bufbuild/protobuf";
import { hasCustomJsonRepresentation } from "@bufbuild/protobuf/wkt";
import { generateToJson, type MessageToJson } from "./generate-to-json.ts";
import { createJsonWriter } from "./json-writer.ts";
import { UnusualMessage } from "./values-to-json.ts";
import { createWireReader } from "./wire-reader.ts";

export interface ToJsonOptions {
  /** For what is inside of a google.protobuf.Any. */
  readonly registry: Registry;
  /** Leaves out fields without presence that hold their default. Default: they are written. */
  readonly omitDefaults?: boolean;
  /** Names fields as in the proto file. Default: in lowerCamelCase. */
  readonly protoNames?: boolean;
}

/** A message's binary form → its JSON in UTF-8. Throws when the bytes are no such message. */
export type ToJson = (bytes: Uint8Array) => Buffer;

const firstSize = 4_096;
/** A buffer that one large answer made larger than this is let go. */
const maxKeptSize = 262_144;

/**
 * Compiles the way from the binary form of a message to its JSON by the proto3 JSON mapping, from bytes to bytes, with no
 * objects and no strings between. Compiled at the first call, in some milliseconds.
 *
 * What it leaves to protobuf-es: google.protobuf types but Timestamp and wrappers, messages that hold proto2's groups,
 * extensions or closed enums, strings that are not UTF-8, and encodings that ordinary encoders do not write.
 */
export function compileToJson(desc: DescMessage, options: ToJsonOptions): ToJson {
  const { omitDefaults = false, protoNames = false } = options;
  const byLibrary = (message: DescMessage): ToJson => libraryToJson(message, options);
  const whole = byLibrary(desc);
  if (hasCustomJsonRepresentation(desc) || !isCompilable(desc)) return whole;
  let compiled: MessageToJson | undefined;
  let writer = createJsonWriter(firstSize);
  return (bytes) => {
    compiled ??= generateToJson(desc, { omitDefaults, protoNames, byLibrary });
    writer.pos = 0;
    try {
      compiled(createWireReader(bytes), writer, bytes.length);
    } catch (error) {
      if (error instanceof UnusualMessage) return whole(bytes);
      throw error;
    }
    const json = Buffer.from(writer.bytes.subarray(0, writer.pos));
    if (writer.bytes.length > maxKeptSize) writer = createJsonWriter(firstSize);
    return isUtf8(json) ? json : whole(bytes);
  };
}

/** The same for one field alone, which is what `response_body` asks for: null for a message that is not there. */
export function compileFieldToJson(desc: DescMessage, field: DescField, options: ToJsonOptions): ToJson {
  const own = libraryOptions({ ...options, omitDefaults: false });
  const name = options.protoNames === true ? field.name : field.jsonName;
  return (bytes) => {
    const json = toJson(desc, fromBinary(desc, bytes), own) as Record<string, unknown>;
    return Buffer.from(JSON.stringify(json[name] ?? null));
  };
}

function libraryToJson(desc: DescMessage, options: ToJsonOptions): ToJson {
  const own = libraryOptions(options);
  return (bytes) => Buffer.from(JSON.stringify(toJson(desc, fromBinary(desc, bytes), own)));
}

function libraryOptions({ registry, omitDefaults = false, protoNames = false }: ToJsonOptions) {
  return { registry, alwaysEmitImplicit: !omitDefaults, useProtoFieldName: protoNames };
}

/** Whether all that is reachable is as proto3 has it. */
function isCompilable(root: DescMessage): boolean {
  const seen = new Set<DescMessage>([root]);
  for (const desc of seen) {
    if (desc.proto.extensionRange.length > 0) return false;
    for (const field of desc.fields) {
      if (field.enum?.open === false) return false;
      if ("delimitedEncoding" in field && field.delimitedEncoding) return false;
      if (field.message !== undefined && !hasCustomJsonRepresentation(field.message)) seen.add(field.message);
    }
  }
  return true;
}
