import { ScalarType, type DescField, type DescMessage, type JsonValue } from "@bufbuild/protobuf";
import fc from "fast-check";

/** Any JSON that is a message of the type. */
export function anyJson(desc: DescMessage, depth = 1): fc.Arbitrary<JsonValue> {
  const choices = new Map<unknown, DescField[]>();
  const shape: Record<string, fc.Arbitrary<unknown>> = {};
  for (const field of desc.fields) {
    if (field.oneof !== undefined) {
      choices.set(field.oneof, [...(choices.get(field.oneof) ?? []), field]);
      continue;
    }
    const value = anyField(field, depth);
    if (value !== undefined) shape[field.jsonName] = value;
  }
  const oneofs = [...choices.values()].map((fields) =>
    fc
      .constantFrom(...fields)
      .chain((field) =>
        (anyField(field, depth) ?? fc.constant(undefined)).map((value) =>
          value === undefined ? {} : { [field.jsonName]: value },
        ),
      ),
  );
  return fc
    .tuple(fc.record(shape, { requiredKeys: [] }), ...oneofs.map((one) => fc.option(one, { nil: {} })))
    .map((parts) => Object.assign({}, ...parts) as JsonValue);
}

function anyField(field: DescField, depth: number): fc.Arbitrary<unknown> | undefined {
  const value = anyValue(field, depth);
  if (value === undefined) return undefined;
  if (field.fieldKind === "list") return fc.array(value, { maxLength: 3 });
  if (field.fieldKind === "map") {
    const key = anyScalar(field.mapKey).map(String);
    return fc.dictionary(key, value, { maxKeys: 3 });
  }
  return value;
}

function anyValue(field: DescField, depth: number): fc.Arbitrary<unknown> | undefined {
  if (field.enum?.typeName === "google.protobuf.NullValue") return fc.constant(null);
  if (field.enum !== undefined) {
    return fc.constantFrom<unknown>(...field.enum.values.map(({ name }) => name), 77, -1);
  }
  if (field.scalar !== undefined) return anyScalar(field.scalar);
  const { message } = field;
  if (message === undefined) return undefined;
  switch (message.typeName) {
    case "google.protobuf.Timestamp":
      return fc
        .tuple(
          fc.date({ min: new Date("0001-01-01"), max: new Date("9999-12-31"), noInvalidDate: true }),
          fc.constantFrom("", ".5", ".123456", ".000000001"),
        )
        .map(([date, fraction]) => `${date.toISOString().slice(0, 19)}${fraction}Z`);
    case "google.protobuf.Duration":
      return fc.constantFrom("0s", "1.5s", "-3.000000001s", "315576000000s");
    case "google.protobuf.FieldMask":
      return fc.constantFrom("", "a", "fooBar,baz.quxQuux");
    case "google.protobuf.Struct":
      return fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 });
    case "google.protobuf.Value":
      return fc.jsonValue({ maxDepth: 2 });
    case "google.protobuf.ListValue":
      return fc.array(fc.jsonValue({ maxDepth: 2 }), { maxLength: 3 });
    case "google.protobuf.Any":
      return anyAny(field.parent, depth);
    default:
  }
  if (message.typeName.startsWith("google.protobuf."))
    return anyScalar(message.fields[0]?.scalar as ScalarType);
  return depth === 0 ? undefined : anyJson(message, depth - 1);
}

/** A message of one's own type, of a type with a JSON form of its own, an Any again, or none. */
function anyAny(own: DescMessage, depth: number): fc.Arbitrary<unknown> {
  const packed = (type: string, value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
    value.map((json) => ({ "@type": `type.googleapis.com/${type}`, value: json }));
  const ofOwn =
    depth === 0
      ? []
      : [
          anyJson(own, depth - 1).map((json) => ({
            "@type": `type.googleapis.com/${own.typeName}`,
            ...(json as object),
          })),
        ];
  return fc.oneof(
    fc.constantFrom(
      {},
      { "@type": "type.googleapis.com/everything.v1.Small", id: 7 },
      { "@type": "type.googleapis.com/google.protobuf.Empty" },
    ),
    packed("google.protobuf.Duration", fc.constantFrom("2s", "-0.5s")),
    packed("google.protobuf.StringValue", fc.string()),
    packed(
      "google.protobuf.Struct",
      fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 1 }), { maxKeys: 2 }),
    ),
    packed("google.protobuf.Value", fc.jsonValue({ maxDepth: 1 })),
    packed(
      "google.protobuf.Any",
      fc.constant({ "@type": "type.googleapis.com/everything.v1.Small", name: "inside" }),
    ),
    ...ofOwn,
  );
}

function anyScalar(type: ScalarType): fc.Arbitrary<unknown> {
  const bigInt = (min: bigint, max: bigint) =>
    fc
      .oneof(fc.bigInt({ min, max }), fc.constantFrom(min, max, 0n, 1n, 10n ** 9n, 10n ** 18n, 2n ** 53n))
      .map(String);
  switch (type) {
    case ScalarType.STRING:
      return fc.oneof(
        fc.string({ unit: "grapheme" }),
        fc.constantFrom('\u0000"\\\n\u001f\u2028😀', "x".repeat(200)),
      );
    case ScalarType.BOOL:
      return fc.boolean();
    case ScalarType.BYTES:
      return fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString("base64"));
    case ScalarType.DOUBLE:
      return fc.oneof(
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.constantFrom("NaN", "Infinity", "-Infinity", 0, 1e300),
      );
    case ScalarType.FLOAT:
      return fc.oneof(
        fc.float({ noNaN: true, noDefaultInfinity: true }),
        fc.constantFrom("NaN", "-Infinity", 0),
      );
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return fc.oneof(fc.integer(), fc.constantFrom(0, -1, 2 ** 31 - 1, -(2 ** 31)));
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return fc.oneof(fc.nat(), fc.constantFrom(0, 999_999_999, 10 ** 9, 2 ** 32 - 1));
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return bigInt(0n, 2n ** 64n - 1n);
    default:
      return bigInt(-(2n ** 63n), 2n ** 63n - 1n);
  }
}
