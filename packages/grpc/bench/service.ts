import { create, createFileRegistry, toBinary, type Message } from "@bufbuild/protobuf";
import type { GenMessage, GenService } from "@bufbuild/protobuf/codegenv2";
import {
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";

type Load = Message<"bench.Load"> & { text: string; count: number };
type LoadSchema = GenMessage<Load>;

const registry = createFileRegistry(
  create(FileDescriptorSetSchema, {
    file: [
      {
        name: "bench/load.proto",
        package: "bench",
        syntax: "proto3",
        messageType: [
          {
            name: "Load",
            field: [
              { name: "text", number: 1, type: Type.STRING, label: Label.OPTIONAL, jsonName: "text" },
              { name: "count", number: 2, type: Type.INT32, label: Label.OPTIONAL, jsonName: "count" },
            ],
          },
        ],
        service: [
          {
            name: "Bench",
            method: [
              { name: "Ask", inputType: ".bench.Load", outputType: ".bench.Load" },
              { name: "Pour", inputType: ".bench.Load", outputType: ".bench.Load", serverStreaming: true },
            ],
          },
        ],
      },
    ],
  }),
);

export const LoadSchema: LoadSchema = registry.getMessage("bench.Load") as LoadSchema;

/** `Ask` answers with as many letters as it is asked for, `Pour` with as many messages. */
export const Bench: GenService<{
  ask: { methodKind: "unary"; input: LoadSchema; output: LoadSchema };
  pour: { methodKind: "server_streaming"; input: LoadSchema; output: LoadSchema };
}> = registry.getService("bench.Bench") as never;

export const askPath = "/bench.Bench/Ask";
export const pourPath = "/bench.Bench/Pour";

const answers = new Map<number, Load>();

/** An answer of `letters` letters; the same object each time, for it is the transport that is measured. */
export function answerOf(letters: number): Load {
  let answer = answers.get(letters);
  if (answer === undefined) {
    answer = create(LoadSchema, { text: "x".repeat(letters), count: letters });
    answers.set(letters, answer);
  }
  return answer;
}

export function* poured(messages: number): Generator<Load> {
  const message = answerOf(30);
  for (let at = 0; at < messages; at++) yield message;
}

/** A request as bytes: the clients under test carry bytes, as the gateway does. */
export function requestOf(count: number): Uint8Array {
  return toBinary(LoadSchema, create(LoadSchema, { count }));
}
