import { create, type DescField, type DescMessage, type Message } from "@bufbuild/protobuf";

/** A message as a record of its fields' local names. */
export type Fields = Record<string, unknown>;

/** The way from a message to one of its fields, through singular message fields. */
export interface FieldPath {
  readonly parents: readonly DescMessageField[];
  readonly leaf: DescField;
  /** In JSON names: "post.authorId". */
  readonly jsonName: string;
}

export type DescMessageField = DescField & { readonly fieldKind: "message" };

const fieldsByNameCache = new WeakMap<DescMessage, ReadonlyMap<string, DescField>>();

/** A message's fields by proto name and by JSON name. */
export function fieldsByName(message: DescMessage): ReadonlyMap<string, DescField> {
  const cached = fieldsByNameCache.get(message);
  if (cached !== undefined) return cached;
  const fields = new Map(
    message.fields.flatMap((field) => [
      [field.name, field],
      [field.jsonName, field],
    ]),
  );
  fieldsByNameCache.set(message, fields);
  return fields;
}

/** Undefined when a name is unknown, or leads through something that is not a singular message. */
export function resolveFieldPath(message: DescMessage, names: readonly string[]): FieldPath | undefined {
  const parents: DescMessageField[] = [];
  let at = message;
  for (const name of names.slice(0, -1)) {
    const field = fieldsByName(at).get(name);
    if (field?.fieldKind !== "message") return undefined;
    parents.push(field);
    at = field.message;
  }
  const leaf = fieldsByName(at).get(names.at(-1) ?? "");
  if (leaf === undefined) return undefined;
  return { parents, leaf, jsonName: [...parents, leaf].map((field) => field.jsonName).join(".") };
}

/** The message that holds the leaf, made with all above it when it is not there. */
export function leafParent(message: Message, { parents }: FieldPath): Fields {
  let at = message as unknown as Fields;
  for (const field of parents) {
    let child = getField(at, field);
    if (child === undefined) {
      child = create(field.message);
      setField(at, field, child);
    }
    at = child as Fields;
  }
  return at;
}

export function getField(message: Fields, field: DescField): unknown {
  if (field.oneof === undefined) return message[field.localName];
  const chosen = message[field.oneof.localName] as { case: string | undefined; value?: unknown };
  return chosen.case === field.localName ? chosen.value : undefined;
}

/** The field's value; undefined when it, or a message above it, is not there. */
export function valueAt(message: Fields, { parents, leaf }: FieldPath): unknown {
  let at: Fields | undefined = message;
  for (const parent of parents) at = at && (getField(at, parent) as Fields | undefined);
  return at && getField(at, leaf);
}

export function setField(message: Fields, field: DescField, value: unknown): void {
  if (field.oneof === undefined) message[field.localName] = value;
  else message[field.oneof.localName] = { case: field.localName, value };
}
