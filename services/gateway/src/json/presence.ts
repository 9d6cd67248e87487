import type { DescField } from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";

/** Whether a field's absence and its default are two things. */
export function hasPresence(field: DescField): boolean {
  if (field.fieldKind === "list" || field.fieldKind === "map") return false;
  return (
    field.fieldKind === "message" ||
    field.oneof !== undefined ||
    field.presence !== FeatureSet_FieldPresence.IMPLICIT
  );
}
