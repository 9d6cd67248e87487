import { create, createFileRegistry, type Message } from "@bufbuild/protobuf";
import type { GenMessage, GenService } from "@bufbuild/protobuf/codegenv2";
import {
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";

import {
  openChannel,
  serve,
  serviceOf,
  type Channel,
  type ServeOptions,
  type Server,
  type ServiceImpl,
} from "../src/index.ts";

/** The one message of the service that these tests speak. */
export type Note = Message<"test.Note"> & { text: string; count: number };

type NoteSchema = GenMessage<Note>;

const field = { label: Label.OPTIONAL };
const registry = createFileRegistry(
  create(FileDescriptorSetSchema, {
    file: [
      {
        name: "test/echo.proto",
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
            name: "Echo",
            method: [
              { name: "Say", inputType: ".test.Note", outputType: ".test.Note" },
              { name: "Repeat", inputType: ".test.Note", outputType: ".test.Note", serverStreaming: true },
            ],
          },
        ],
      },
    ],
  }),
);

export const NoteSchema: NoteSchema = registry.getMessage("test.Note") as NoteSchema;

/** `Say` is unary, `Repeat` streams. */
export const Echo: GenService<{
  say: { methodKind: "unary"; input: NoteSchema; output: NoteSchema };
  repeat: { methodKind: "server_streaming"; input: NoteSchema; output: NoteSchema };
}> = registry.getService("test.Echo") as never;

export const sayPath = "/test.Echo/Say";
export const repeatPath = "/test.Echo/Repeat";

/** Answers what it is told; streams it `count` times. */
export const parrot: ServiceImpl<typeof Echo> = {
  say: ({ text, count }) => ({ text, count }),
  async *repeat({ text, count }) {
    for (let at = 0; at < count; at++) yield { text, count: at };
  },
};

export interface Pair extends AsyncDisposable {
  readonly server: Server;
  readonly channel: Channel;
}

/** A server and a channel to it, both closed at the end of the scope. */
export async function pair(
  impl: Partial<ServiceImpl<typeof Echo>> = {},
  options: Partial<ServeOptions> & { channel?: Parameters<typeof openChannel>[1] } = {},
): Promise<Pair> {
  const services = [serviceOf(Echo, { ...parrot, ...impl })];
  const server = await serve({ services, host: "127.0.0.1", port: 0, ...options });
  const channel = openChannel(`127.0.0.1:${server.port}`, options.channel);
  return {
    server,
    channel,
    async [Symbol.asyncDispose]() {
      channel.close();
      await server.close(0);
    },
  };
}

/** The messages of a stream until its end, and how it ended. */
export async function drain<T>(stream: AsyncIterable<T>): Promise<{ messages: T[]; error: unknown }> {
  const messages: T[] = [];
  try {
    for await (const message of stream) messages.push(message);
    return { messages, error: undefined };
  } catch (error) {
    return { messages, error };
  }
}
