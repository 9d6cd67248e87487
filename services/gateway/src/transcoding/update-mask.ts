import type { DescField, DescMessage, JsonObject, JsonValue } from "@bufbuild/protobuf";
import { hasCustomJsonRepresentation } from "@bufbuild/protobuf/wkt";
import type { WireWriter } from "../json/wire-writer.ts";
import { fieldsByName } from "./field-path.ts";

/** The field that says which parts of a resource a PATCH changes (https://google.aip.dev/134). */
export function updateMaskOf(desc: DescMessage): DescField | undefined {
  const field = desc.fields.find(({ name }) => name === "update_mask");
  return field?.fieldKind === "message" && field.message.typeName === "google.protobuf.FieldMask"
    ? field
    : undefined;
}

/** Every field that a JSON body names, to the leaves, in proto names: "title", "author.name". */
export function pathsOf(desc: DescMessage, json: JsonObject, prefix = ""): string[] {
  return Object.entries(json).flatMap(([key, value]) => {
    const field = fieldsByName(desc).get(key);
    if (field === undefined) return [];
    const path = `${prefix}${field.name}`;
    const isBranch =
      field.fieldKind === "message" && !hasCustomJsonRepresentation(field.message) && isObject(value);
    const below = isBranch ? pathsOf(field.message, value, `${path}.`) : [];
    return below.length > 0 ? below : [path];
  });
}

export function writeMask(writer: WireWriter, field: DescField, paths: readonly string[]): void {
  writer.tag(field.number, 2);
  const place = writer.begin();
  for (const path of paths) {
    writer.tag(1, 2);
    writer.string(path);
  }
  writer.end(place);
}

export function isObject(json: JsonValue): json is JsonObject {
  return json !== null && typeof json === "object" && !Array.isArray(json);
}
