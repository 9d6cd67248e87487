import {
  create,
  createFileRegistry,
  fromBinary,
  ScalarType,
  toBinary,
  type DescMessage,
  type Message,
  type MessageInitShape,
} from "@bufbuild/protobuf";
import {
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProtoSchema,
  FieldDescriptorProto_Type as Type,
  FileDescriptorSetSchema,
  StringValueSchema,
  type FieldDescriptorProto,
} from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { encodeMessage, keepEncoded } from "./encode.ts";

const scalars = Object.values(ScalarType).filter((type): type is ScalarType => typeof type === "number");

type Init = Omit<MessageInitShape<typeof FieldDescriptorProtoSchema>, "$typeName" | "$unknown">;

let number = 0;
function field(name: string, type: Type, init: Init = {}): FieldDescriptorProto {
  return create(FieldDescriptorProtoSchema, {
    name,
    // Some of the tags take more than an octet.
    number: ++number,
    type,
    label: Label.OPTIONAL,
    jsonName: name,
    ...init,
  });
}

const child = { typeName: ".test.All" };
const registry = createFileRegistry(
  create(FileDescriptorSetSchema, {
    file: [
      {
        name: "test/all.proto",
        package: "test",
        syntax: "proto3",
        enumType: [
          {
            name: "Color",
            value: [
              { name: "NONE", number: 0 },
              { name: "RED", number: 7 },
              { name: "ODD", number: -3 },
            ],
          },
        ],
        messageType: [
          {
            name: "All",
            field: [
              ...scalars.flatMap((type) => [
                field(`plain${type}`, type as number as Type),
                field(`list${type}`, type as number as Type, { label: Label.REPEATED }),
                field(`chosen${type}`, type as number as Type, { oneofIndex: 0 }),
              ]),
              ...scalars.map((type, at) =>
                field(`present${type}`, type as number as Type, { proto3Optional: true, oneofIndex: at + 1 }),
              ),
              field("color", Type.ENUM, { typeName: ".test.Color" }),
              field("colors", Type.ENUM, { typeName: ".test.Color", label: Label.REPEATED }),
              field("child", Type.MESSAGE, child),
              field("children", Type.MESSAGE, { ...child, label: Label.REPEATED }),
              field("chosenChild", Type.MESSAGE, { ...child, oneofIndex: 0 }),
            ],
            oneofDecl: [{ name: "choice" }, ...scalars.map((type) => ({ name: `_present${type}` }))],
          },
        ],
      },
    ],
  }),
);
const All = registry.getMessage("test.All") as DescMessage;

const int64 = fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.constant(0n));
const uint64 = fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.constant(0n));

function valueOf(type: ScalarType): fc.Arbitrary<unknown> {
  switch (type) {
    case ScalarType.STRING:
      return fc.oneof(
        fc.string({ unit: "binary", maxLength: 300 }),
        fc.string({ maxLength: 40 }),
        fc.constant("é".repeat(100)),
        fc.constant("\ud800 alone"),
      );
    case ScalarType.BYTES:
      return fc.uint8Array({ maxLength: 300 });
    case ScalarType.BOOL:
      return fc.boolean();
    case ScalarType.DOUBLE:
      return fc.double();
    case ScalarType.FLOAT:
      return fc.float();
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return fc.integer({ min: 0, max: 2 ** 32 - 1 });
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return int64;
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return uint64;
    default:
      return fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
  }
}

function messages(depth: number): fc.Arbitrary<Record<string, unknown>> {
  const fields: Record<string, fc.Arbitrary<unknown>> = { color: fc.constantFrom(0, 7, -3, 99) };
  for (const type of scalars) {
    fields[`plain${type}`] = valueOf(type);
    fields[`present${type}`] = valueOf(type);
    fields[`list${type}`] = fc.array(valueOf(type), { maxLength: 3 });
  }
  fields["colors"] = fc.array(fc.constantFrom(0, 7, -3), { maxLength: 3 });
  const cases = scalars.map((type) => valueOf(type).map((value) => ({ case: `chosen${type}`, value })));
  if (depth > 0) {
    fields["child"] = messages(depth - 1);
    fields["children"] = fc.array(messages(depth - 1), { maxLength: 2 });
    cases.push(messages(depth - 1).map((value) => ({ case: "chosenChild", value })));
  }
  fields["choice"] = fc.oneof(...cases);
  return fc.record(fields, { requiredKeys: [] });
}

describe("a message", () => {
  it("is encoded as the library does it, whatever is in it", () => {
    fc.assert(
      fc.property(messages(1), (init) => {
        const message = create(All, init);
        const encoded = encodeMessage(All, message);
        expect(Buffer.from(encoded)).toEqual(Buffer.from(toBinary(All, message)));
        expect(encoded.buffer.byteLength, "not left to the library").toBeGreaterThanOrEqual(65_536);
      }),
      { numRuns: 100 },
    );
  });

  it("is encoded the same when parts of it were encoded before", () => {
    fc.assert(
      fc.property(fc.array(messages(1), { maxLength: 3 }), messages(1), (inits, last) => {
        const children = inits.map((init) => create(All, init));
        for (const child of children) expect(keepEncoded(All, child)).toBe(toBinary(All, child).length);
        const message = create(All, { children: [...children, create(All, last)] });
        expect(Buffer.from(encodeMessage(All, message))).toEqual(Buffer.from(toBinary(All, message)));
      }),
      { numRuns: 100 },
    );
    const other = create(StringValueSchema, { value: "not of the field's type" });
    keepEncoded(StringValueSchema, other);
    const wrong = Object.assign(create(All), { children: [other] });
    expect(() => encodeMessage(All, wrong)).toThrow(/cannot/);
  });

  it("keeps the fields that its reader did not know", () => {
    const unknown = Uint8Array.of(0xf8, 0x3f, 0x2a, 0xfa, 0x3f, 0x02, 0x68, 0x69);
    expect([...encodeMessage(All, fromBinary(All, unknown))]).toEqual([...unknown]);
  });

  it.each([
    ["a number above the range", { plain5: 2 ** 40 }],
    ["a text for a number", { plain13: "x" }],
    ["a float above the range", { plain2: 1e300 }],
  ])("with %s fails as in the library, and the next is encoded", (_, init) => {
    const message = create(All, init as Record<string, unknown>);
    expect(() => encodeMessage(All, message)).toThrow(/cannot encode field/);
    expect(encodeMessage(All, create(All, {})).length).toBe(0);
  });

  it("of another type is refused", () => {
    expect(() => encodeMessage(All, create(StringValueSchema) as Message)).toThrow(/cannot use/);
  });

  it("that is larger than the buffer is encoded whole", () => {
    const message = create(All, { plain9: "x".repeat(5_000_000), plain12: new Uint8Array(100_000) });
    expect(Buffer.from(encodeMessage(All, message)).equals(toBinary(All, message))).toBe(true);
    expect(encodeMessage(All, create(All, { plain5: 1 })).length).toBe(2);
  });
});
