import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { StatusSchema } from "@chirrup/proto/google/rpc/status";
import * as grpc from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";

import { createClient, GrpcError, openChannel, Status } from "../src/index.ts";
import { drain, Echo, NoteSchema, pair, repeatPath, sayPath } from "./echo-service.ts";

const identity = (bytes: Buffer): Buffer => bytes;
const note = (text: string): Buffer =>
  Buffer.from(toBinary(NoteSchema, create(NoteSchema, { text, count: 3 })));

describe("a grpc-js client", () => {
  it("is served: unary, stream, status with details", async () => {
    const detail = { typeUrl: "type.googleapis.com/test.Note", value: new Uint8Array(note("why")) };
    await using peers = await pair({
      say({ text }) {
        if (text === "bad") throw new GrpcError(Status.INVALID_ARGUMENT, "bad", { details: [detail] });
        return { text };
      },
    });
    const client = new grpc.Client(`127.0.0.1:${peers.server.port}`, grpc.credentials.createInsecure());
    const say = async (text: string): Promise<Buffer> =>
      new Promise((resolve, reject) => {
        client.makeUnaryRequest(sayPath, identity, identity, note(text), (error, value) =>
          error === null && value !== undefined ? resolve(value) : reject(error ?? new Error("no answer")),
        );
      });
    expect(fromBinary(NoteSchema, await say("hi")).text).toBe("hi");

    const error = (await say("bad").catch((thrown: unknown) => thrown)) as grpc.ServiceError;
    expect(error).toMatchObject({ code: grpc.status.INVALID_ARGUMENT, details: "bad" });
    const status = fromBinary(StatusSchema, error.metadata.get("grpc-status-details-bin")[0] as Buffer);
    expect(status).toMatchObject({ code: 3, message: "bad" });
    expect(status.details[0]?.typeUrl).toBe(detail.typeUrl);

    const stream = client.makeServerStreamRequest(repeatPath, identity, identity, note("again"));
    const texts: string[] = [];
    for await (const bytes of stream) texts.push(fromBinary(NoteSchema, bytes as Buffer).text);
    expect(texts).toEqual(["again", "again", "again"]);
    client.close();
  });

  it("gets each call's own answer, also of those that wait for its small window", async () => {
    await using peers = await pair();
    const client = new grpc.Client(`127.0.0.1:${peers.server.port}`, grpc.credentials.createInsecure());
    const texts = Array.from({ length: 200 }, (_, at) =>
      String.fromCodePoint(97 + (at % 26)).repeat(2_000 + at),
    );
    const answers = await Promise.all(
      texts.map(
        (text) =>
          new Promise<string>((resolve, reject) => {
            client.makeUnaryRequest(sayPath, identity, identity, note(text), (error, value) =>
              value === undefined ? reject(error as Error) : resolve(fromBinary(NoteSchema, value).text),
            );
          }),
      ),
    );
    expect(answers).toEqual(texts);
    client.close();
  });
});

describe("a grpc-js server", () => {
  it("serves: unary, stream, status with details, and any number for a code", async () => {
    const server = new grpc.Server();
    const path = {
      requestSerialize: identity,
      requestDeserialize: identity,
      responseSerialize: identity,
      responseDeserialize: identity,
    };
    server.addService(
      {
        say: { path: sayPath, requestStream: false, responseStream: false, ...path },
        repeat: { path: repeatPath, requestStream: false, responseStream: true, ...path },
      },
      {
        say(call: grpc.ServerUnaryCall<Buffer, Buffer>, callback: grpc.sendUnaryData<Buffer>) {
          const { text } = fromBinary(NoteSchema, call.request);
          if (text === "odd") return callback({ code: 77 as grpc.status, details: "odd" });
          if (text !== "bad") return callback(null, call.request);
          const metadata = new grpc.Metadata();
          const details = [{ typeUrl: "type.googleapis.com/test.Note", value: note("why") }];
          metadata.set(
            "grpc-status-details-bin",
            Buffer.from(toBinary(StatusSchema, create(StatusSchema, { code: 9, details }))),
          );
          return callback({ code: grpc.status.FAILED_PRECONDITION, details: "bad", metadata });
        },
        repeat(call: grpc.ServerWritableStream<Buffer, Buffer>) {
          call.write(call.request);
          call.write(call.request);
          call.end();
        },
      },
    );
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    const channel = openChannel(`127.0.0.1:${port}`);
    const client = createClient(Echo, channel);
    expect(await client.say({ text: "hi" })).toMatchObject({ text: "hi" });
    expect((await drain(client.repeat({ text: "x" }))).messages.map(({ text }) => text)).toEqual(["x", "x"]);
    await expect(client.say({ text: "bad" })).rejects.toMatchObject({
      code: Status.FAILED_PRECONDITION,
      message: "bad",
      details: [{ typeUrl: "type.googleapis.com/test.Note" }],
    });
    await expect(client.say({ text: "odd" })).rejects.toMatchObject({ code: Status.UNKNOWN });
    channel.close();
    server.forceShutdown();
  });
});
