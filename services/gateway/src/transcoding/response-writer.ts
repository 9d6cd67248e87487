import { fromBinary, toJson, type DescMessage, type Registry, type Message } from "@bufbuild/protobuf";

export interface ResponseWriter {
  readonly decode: (bytes: Uint8Array) => Message;
  /** The JSON text, with default values written out and 64-bit integers as strings. */
  readonly encode: (message: Message) => string;
}

/** Compiles how an rpc's responses are written. Throws when `responseBody` names a field that is not there. */
export function compileResponseWriter(
  desc: DescMessage,
  rule: {
    /** Of the rule: "" for the whole response, or a field's name. */
    readonly responseBody: string;
    readonly registry: Registry;
  },
): ResponseWriter {
  const options = { alwaysEmitImplicit: true, registry: rule.registry };
  const field =
    rule.responseBody === ""
      ? undefined
      : desc.fields.find((candidate) => candidate.name === rule.responseBody);
  if (rule.responseBody !== "" && field === undefined) {
    throw new Error(`response_body names ${rule.responseBody}, which ${desc.typeName} does not have`);
  }
  return {
    decode: (bytes) => fromBinary(desc, bytes),
    encode(message) {
      const json = toJson(desc, message, options);
      if (field === undefined) return JSON.stringify(json);
      const isObject = json !== null && typeof json === "object" && !Array.isArray(json);
      return JSON.stringify((isObject ? json[field.jsonName] : undefined) ?? null);
    },
  };
}
