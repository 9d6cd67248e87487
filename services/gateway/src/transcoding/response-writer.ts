import type { DescMessage, Registry } from "@bufbuild/protobuf";
import { compileFieldToJson, compileToJson, type ToJson } from "../json/compile-to-json.ts";

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
): ToJson {
  const options = { registry: rule.registry, ...rule.form };
  if (rule.responseBody === "") return compileToJson(desc, options);
  const field = desc.fields.find((candidate) => candidate.name === rule.responseBody);
  if (field === undefined) {
    throw new Error(`response_body names ${rule.responseBody}, which ${desc.typeName} does not have`);
  }
  return compileFieldToJson(desc, field, options);
}
