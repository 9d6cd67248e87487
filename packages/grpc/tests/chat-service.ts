import { create, createFileRegistry } from "@bufbuild/protobuf";
import type { GenService } from "@bufbuild/protobuf/codegenv2";
import {
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";

import type { ServiceImpl } from "../src/index.ts";
import type { NoteSchema } from "./echo-service.ts";

const field = { label: Label.OPTIONAL };
const registry = createFileRegistry(
  create(FileDescriptorSetSchema, {
    file: [
      {
        name: "test/chat.proto",
        package: "test",
        syntax: "proto3",
        messageType: [
          {
            name: "Note",
            field: [
              { ...field, name: "text", number: 1, type: Type.STRING, jsonName: "text" },
              { ...field, name: "count", number: 2, type: Type.INT32, jsonName: "count" },
            ],
          },
        ],
        service: [
          {
            name: "Chat",
            method: [
              { name: "Collect", inputType: ".test.Note", outputType: ".test.Note", clientStreaming: true },
              {
                name: "Talk",
                inputType: ".test.Note",
                outputType: ".test.Note",
                clientStreaming: true,
                serverStreaming: true,
              },
            ],
          },
        ],
      },
    ],
  }),
);

/** `Collect` takes many notes for one, `Talk` many for many. */
export const Chat: GenService<{
  collect: { methodKind: "client_streaming"; input: typeof NoteSchema; output: typeof NoteSchema };
  talk: { methodKind: "bidi_streaming"; input: typeof NoteSchema; output: typeof NoteSchema };
}> = registry.getService("test.Chat") as never;

/** Counts and joins what it is told, or says it back. */
export const listener: ServiceImpl<typeof Chat> = {
  async collect(requests) {
    const texts: string[] = [];
    for await (const { text } of requests) texts.push(text);
    return { text: texts.join(" "), count: texts.length };
  },
  async *talk(requests) {
    for await (const { text, count } of requests) yield { text, count };
  },
};
