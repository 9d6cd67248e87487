import type { DescMessage, Registry } from "@bufbuild/protobuf";
import { compileFieldToJson, compileToJson } from "../json/compile-to-json.ts";
import { isHttpBody, readHttpBody, readHttpBodyField } from "./http-body.ts";

export interface ResponseBody {
  /** Undefined for JSON. */
  readonly contentType: string | undefined;
  readonly body: Buffer;
}

export interface ResponseWriter {
  /** Whether responses are a google.api.HttpBody, and so no JSON. */
  readonly isRaw: boolean;
  readonly write: (response: Uint8Array) => ResponseBody;
}

/** What a route says of its answers' JSON. */
export interface ResponseForm {
  readonly omitDefaults: boolean;
  readonly protoNames: boolean;
}

/**
 * Compiles how an rpc's responses are written: by default with default values written out, and always with 64-bit integers
 * as strings. Throws when `responseBody` names a field that is not there.
 */
export function compileResponseWriter(
  desc: DescMessage,
  rule: {
    /** Of the rule: "" for the whole response, or a field's name. */
    readonly responseBody: string;
    readonly registry: Registry;
    readonly form: ResponseForm;
  },
): ResponseWriter {
  const options = { registry: rule.registry, ...rule.form };
  const json = (toJson: (bytes: Uint8Array) => Buffer): ResponseWriter => ({
    isRaw: false,
    write: (response) => ({ contentType: undefined, body: toJson(response) }),
  });
  const raw = (read: (bytes: Uint8Array) => { contentType: string; data: Buffer }): ResponseWriter => ({
    isRaw: true,
    write(response) {
      const { contentType, data } = read(response);
      return { contentType, body: data };
    },
  });
  if (rule.responseBody === "") {
    return isHttpBody(desc) ? raw(readHttpBody) : json(compileToJson(desc, options));
  }
  const field = desc.fields.find((candidate) => candidate.name === rule.responseBody);
  if (field === undefined) {
    throw new Error(`response_body names ${rule.responseBody}, which ${desc.typeName} does not have`);
  }
  return isHttpBody(field.message) && field.fieldKind === "message"
    ? raw((bytes) => readHttpBodyField(desc, field, bytes))
    : json(compileFieldToJson(desc, field, options));
}
