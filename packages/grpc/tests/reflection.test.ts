import { createFileRegistry, fromBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { PostService } from "@chirrup/proto/chirrup/post/v1/post_service";
import {
  ServerReflection,
  type ServerReflectionRequestSchema,
  type ServerReflectionResponse,
} from "@chirrup/proto/grpc/reflection/v1/reflection";
import { describe, expect, it } from "vitest";

import { createClient, createHealth, openChannel, serve, serviceOf, type ServiceImpl } from "../src/index.ts";
import { Echo, parrot } from "./echo-service.ts";

type Question = MessageInitShape<typeof ServerReflectionRequestSchema>["messageRequest"];
type Answer = ServerReflectionResponse["messageResponse"];

/** Asks a server of three services and reflection, over one stream. */
async function ask(...questions: NonNullable<Question>[]): Promise<Answer[]> {
  const posts = Object.fromEntries(PostService.methods.map(({ localName }) => [localName, () => ({})]));
  const server = await serve({
    services: [
      serviceOf(Echo, parrot),
      serviceOf(PostService, posts as unknown as ServiceImpl<typeof PostService>),
    ],
    host: "127.0.0.1",
    port: 0,
    health: createHealth(),
    reflection: true,
  });
  const channel = openChannel(`127.0.0.1:${server.port}`);
  const requests = async function* () {
    for (const messageRequest of questions) yield { host: "here", messageRequest };
  };
  const answers: Answer[] = [];
  for await (const { validHost, messageResponse } of createClient(
    ServerReflection,
    channel,
  ).serverReflectionInfo(requests())) {
    expect(validHost).toBe("here");
    answers.push(messageResponse);
  }
  channel.close();
  await server.close(0);
  return answers;
}

function filesOf(answer: Answer | undefined): string[] {
  if (answer?.case !== "fileDescriptorResponse") throw new Error(`no files but ${String(answer?.case)}`);
  return answer.value.fileDescriptorProto.map((octets) => fromBinary(FileDescriptorProtoSchema, octets).name);
}

describe("reflection", () => {
  it("lists all services", async () => {
    const [answer] = await ask({ case: "listServices", value: "" });
    expect(answer?.value).toMatchObject({
      service: [
        { name: "chirrup.post.v1.PostService" },
        { name: "grpc.health.v1.Health" },
        { name: "grpc.reflection.v1.ServerReflection" },
        { name: "test.Echo" },
      ],
    });
  });

  it("sends all that it takes to call a service, by the name of a service, a method, a type or a file", async () => {
    for (const symbol of ["chirrup.post.v1.PostService", "chirrup.post.v1.PostService.GetPost"]) {
      const [answer] = await ask({ case: "fileContainingSymbol", value: symbol });
      if (answer?.case !== "fileDescriptorResponse") throw new Error("no files");
      const [first, ...others] = answer.value.fileDescriptorProto.map((octets) =>
        fromBinary(FileDescriptorProtoSchema, octets),
      );
      if (first === undefined) throw new Error("no file");
      const registry = createFileRegistry(first, (name) => others.find((each) => each.name === name));
      expect(registry.getService("chirrup.post.v1.PostService")?.methods.length).toBe(
        PostService.methods.length,
      );
    }
    const [type, name] = await ask(
      { case: "fileContainingSymbol", value: "google.rpc.Status" },
      { case: "fileByFilename", value: "test/echo.proto" },
    );
    expect(type?.case, "a type that no service needs").toBe("errorResponse");
    expect(filesOf(name)).toEqual(["test/echo.proto"]);
  });

  it("sends a file's dependencies once a stream, and the file itself whenever it is asked for", async () => {
    const symbol = { case: "fileContainingSymbol", value: "chirrup.post.v1.PostService" } as const;
    const [first, second] = await ask(symbol, symbol);
    expect(filesOf(first).length).toBeGreaterThan(1);
    expect(filesOf(second)).toEqual(["chirrup/post/v1/post_service.proto"]);
  });

  it("knows extensions by the message that they extend", async () => {
    const options = "google.protobuf.MethodOptions";
    const [file, numbers, none] = await ask(
      { case: "fileContainingExtension", value: { containingType: options, extensionNumber: 72_295_728 } },
      { case: "allExtensionNumbersOfType", value: options },
      { case: "allExtensionNumbersOfType", value: "test.Note" },
    );
    expect(filesOf(file)[0]).toBe("google/api/annotations.proto");
    expect(numbers?.value).toMatchObject({ baseTypeName: options, extensionNumber: [72_295_728] });
    expect(none?.value).toMatchObject({ baseTypeName: "test.Note", extensionNumber: [] });
  });

  it("answers what it does not know with an error, and goes on", async () => {
    const unknown = await ask(
      { case: "fileByFilename", value: "no/such.proto" },
      { case: "fileContainingSymbol", value: "no.Such" },
      { case: "fileContainingExtension", value: { containingType: "test.Note", extensionNumber: 9 } },
      { case: "allExtensionNumbersOfType", value: "no.Such" },
      { case: undefined },
      { case: "listServices", value: "" },
    );
    expect(unknown.map((answer) => (answer.case === "errorResponse" ? answer.value.errorCode : 0))).toEqual([
      5, 5, 5, 5, 3, 0,
    ]);
  });
});
