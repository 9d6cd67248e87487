import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { describe, expect, it, vi } from "vitest";

import {
  createClient,
  openChannel,
  serve,
  serviceOf,
  Status,
  type Channel,
  type ServiceImpl,
} from "../src/index.ts";
import { Chat, listener } from "./chat-service.ts";
import { selfSigned } from "./certificate.ts";
import { drain, Echo, NoteSchema, pair, parrot } from "./echo-service.ts";

async function chatting(impl: Partial<ServiceImpl<typeof Chat>> = {}) {
  const server = await serve({
    services: [serviceOf(Chat, { ...listener, ...impl })],
    host: "127.0.0.1",
    port: 0,
  });
  const channel = openChannel(`127.0.0.1:${server.port}`);
  return {
    port: server.port,
    channel,
    client: createClient(Chat, channel),
    async [Symbol.asyncDispose]() {
      channel.close();
      await server.close(0);
    },
  };
}

async function* notes(...texts: readonly string[]): AsyncGenerator<{ text: string }> {
  for (const text of texts) yield { text };
}

describe("client streams", () => {
  it("carry many requests and one answer", async () => {
    await using chat = await chatting();
    expect(await chat.client.collect(notes("a", "b", "c"))).toMatchObject({ text: "a b c", count: 3 });
    expect(await chat.client.collect(notes())).toMatchObject({ text: "", count: 0 });
  });

  it("may be answered before their end, which stops the sender", async () => {
    await using chat = await chatting({
      collect: async (requests) => {
        for await (const { text } of requests) return { text };
        return {};
      },
    });
    let sent = 0;
    const endless = async function* () {
      for (;;) yield { text: String(sent++) };
    };
    expect(await chat.client.collect(endless())).toMatchObject({ text: "0" });
    const { client } = chat;
    expect(await client.collect(notes("next"))).toMatchObject({ text: "next" });
  });

  it("wait for a reader that is slow", async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    let seen = 0;
    await using chat = await chatting({
      collect: async (requests) => {
        await released;
        for await (const _ of requests) seen++;
        return { count: seen };
      },
    });
    let sent = 0;
    const big = async function* () {
      while (sent < 300) {
        sent++;
        yield { text: "x".repeat(16_384) };
      }
    };
    const answer = chat.client.collect(big());
    await vi.waitFor(() => expect(sent).toBeGreaterThan(5));
    // Each answer is proof that both ends had time to run.
    for await (const _ of chat.client.talk(notes(...Array.from({ length: 100 }, String))))
      expect(sent).toBeLessThan(40);
    release();
    expect(await answer).toMatchObject({ count: 300 });
  });

  it("fail with what the sender throws as their cause, and end on the server", async () => {
    const { promise: ended, resolve: onEnded } = Promise.withResolvers<unknown>();
    await using chat = await chatting({
      collect: async (requests) => {
        try {
          for await (const _ of requests);
        } catch (error) {
          onEnded(error);
        }
        return {};
      },
    });
    const cause = new Error("no more");
    const failing = async function* () {
      yield { text: "one" };
      throw cause;
    };
    await expect(chat.client.collect(failing())).rejects.toMatchObject({ code: Status.CANCELLED, cause });
    expect(await ended).toMatchObject({ code: Status.CANCELLED });
  });
});

describe("streams both ways", () => {
  it("answer each request as it comes", async () => {
    await using chat = await chatting();
    const { promise: first, resolve: onFirst } = Promise.withResolvers<void>();
    const requests = async function* () {
      yield { text: "ping" };
      await first;
      yield { text: "pong" };
    };
    const heard: string[] = [];
    for await (const { text } of chat.client.talk(requests())) {
      heard.push(text);
      onFirst();
    }
    expect(heard).toEqual(["ping", "pong"]);
  });

  it("carry ten thousand messages in order", async () => {
    await using chat = await chatting();
    const many = Array.from({ length: 10_000 }, (_, at) => String(at));
    const { messages, error } = await drain(chat.client.talk(notes(...many)));
    expect(error).toBeUndefined();
    expect(messages.map(({ text }) => text)).toEqual(many);
  });

  it("are spoken with grpc-js, as its server and as its client", async () => {
    await using chat = await chatting();
    const identity = (bytes: Buffer): Buffer => bytes;
    const client = new grpc.Client(`127.0.0.1:${chat.port}`, grpc.credentials.createInsecure());
    const call = client.makeBidiStreamRequest("/test.Chat/Talk", identity, identity);
    for (const text of ["a", "b"])
      call.write(Buffer.from(toBinary(NoteSchema, create(NoteSchema, { text }))));
    call.end();
    const texts: string[] = [];
    for await (const bytes of call) texts.push(fromBinary(NoteSchema, bytes as Buffer).text);
    expect(texts).toEqual(["a", "b"]);
    client.close();

    const server = new grpc.Server();
    const method = {
      requestSerialize: identity,
      requestDeserialize: identity,
      responseSerialize: identity,
      responseDeserialize: identity,
    };
    server.addService(
      {
        talk: { path: "/test.Chat/Talk", requestStream: true, responseStream: true, ...method },
        collect: { path: "/test.Chat/Collect", requestStream: true, responseStream: false, ...method },
      },
      {
        talk(stream: grpc.ServerDuplexStream<Buffer, Buffer>) {
          stream.on("data", (bytes: Buffer) => stream.write(bytes));
          stream.on("end", () => stream.end());
        },
        collect(stream: grpc.ServerReadableStream<Buffer, Buffer>, callback: grpc.sendUnaryData<Buffer>) {
          let last: Buffer = Buffer.alloc(0);
          stream.on("data", (bytes: Buffer) => (last = bytes));
          stream.on("end", () => callback(null, last));
        },
      },
    );
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    const channel = openChannel(`127.0.0.1:${port}`);
    const peer = createClient(Chat, channel);
    expect((await drain(peer.talk(notes("x", "y")))).messages.map(({ text }) => text)).toEqual(["x", "y"]);
    expect(await peer.collect(notes("first", "last"))).toMatchObject({ text: "last" });
    channel.close();
    server.forceShutdown();
  });
});

describe("large messages", () => {
  it("cross the windows in both directions, several at once", async () => {
    await using peers = await pair();
    const client = createClient(Echo, peers.channel);
    const texts = Array.from({ length: 4 }, (_, at) => String(at).repeat(3_000_000));
    const answers = await Promise.all(texts.map(async (text) => client.say({ text })));
    expect(answers.map(({ text }, at) => text === texts[at])).toEqual([true, true, true, true]);
  });
});

describe("gzip", () => {
  it("is read and, when it is asked for, written by both ends, also with grpc-js", async () => {
    await using peers = await pair({
      say({ text, count }, call) {
        call.responseCompression = "gzip";
        return { text, count };
      },
    });
    const text = "squeeze ".repeat(10_000);
    const client = createClient(Echo, peers.channel);
    expect((await client.say({ text }, { compression: "gzip" })).text).toBe(text);

    const identity = (bytes: Buffer): Buffer => bytes;
    const other = new grpc.Client(`127.0.0.1:${peers.server.port}`, grpc.credentials.createInsecure(), {
      "grpc.default_compression_algorithm": 2,
    });
    const request = Buffer.from(toBinary(NoteSchema, create(NoteSchema, { text })));
    const answer = await new Promise<Buffer | undefined>((resolve, reject) => {
      other.makeUnaryRequest("/test.Echo/Say", identity, identity, request, (error, value) =>
        error === null ? resolve(value) : reject(error),
      );
    });
    expect(answer?.equals(request)).toBe(true);
    other.close();
  });

  it("is refused when it would become more than the limit", async () => {
    await using peers = await pair({}, { maxMessageBytes: 10_000, channel: { maxMessageBytes: 1_000_000 } });
    const bomb = createClient(Echo, peers.channel).say(
      { text: "0".repeat(500_000) },
      { compression: "gzip" },
    );
    await expect(bomb).rejects.toMatchObject({ code: Status.RESOURCE_EXHAUSTED });
  });
});

describe("TLS", () => {
  const { cert, key } = selfSigned();
  const withTls = async (
    server: object,
    tls: object | undefined,
    work: (channel: Channel) => Promise<void>,
  ): Promise<void> => {
    const services = [serviceOf(Echo, parrot)];
    const serving = await serve({ services, host: "127.0.0.1", port: 0, tls: { cert, key, ...server } });
    const options = tls === undefined ? {} : { tls: { servername: "localhost", ...tls } };
    const channel = openChannel(`127.0.0.1:${serving.port}`, options);
    await work(channel);
    channel.close();
    await serving.close(0);
  };

  it("carries calls to a server that is trusted, and none to another", async () => {
    await withTls({}, { ca: cert }, async (channel) => {
      expect(await createClient(Echo, channel).say({ text: "sealed" })).toMatchObject({ text: "sealed" });
    });
    for (const tls of [{}, undefined]) {
      await withTls({}, tls, async (channel) => {
        await expect(createClient(Echo, channel).say({}, { timeoutMs: 5_000 })).rejects.toMatchObject({
          code: Status.UNAVAILABLE,
        });
      });
    }
  });

  it("lets in those alone that prove themselves, when the server asks for that", async () => {
    await withTls({ ca: cert }, { ca: cert, cert, key }, async (channel) => {
      expect(await createClient(Echo, channel).say({ text: "known" })).toMatchObject({ text: "known" });
    });
    await withTls({ ca: cert }, { ca: cert }, async (channel) => {
      await expect(createClient(Echo, channel).say({}, { timeoutMs: 5_000 })).rejects.toMatchObject({
        code: Status.UNAVAILABLE,
      });
    });
  });
});

describe("connections", () => {
  it("that are old are ended without the failure of a call", async () => {
    const peersSeen = new Set<string>();
    await using peers = await pair(
      {
        say(request, call) {
          peersSeen.add(call.peer);
          return request;
        },
      },
      { maxConnectionAgeMs: 20 },
    );
    const client = createClient(Echo, peers.channel);
    const tenCalls = async () =>
      Promise.all(Array.from({ length: 10 }, async () => client.say({ text: "x" })));
    while (peersSeen.size < 3) expect(await tenCalls()).toHaveLength(10);
  });

  it("serve thousands of streams at once", async () => {
    let open = 0;
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    await using peers = await pair(
      {
        async *repeat(request) {
          open++;
          yield request;
          await released;
        },
      },
      { maxConcurrentStreams: 10_000 },
    );
    const client = createClient(Echo, peers.channel);
    const streams = Array.from({ length: 10_000 }, async () => drain(client.repeat({ text: "x" })));
    await vi.waitFor(() => expect(open).toBe(10_000), { timeout: 20_000 });
    release();
    const ended = await Promise.all(streams);
    expect(ended.every(({ messages, error }) => messages.length === 1 && error === undefined)).toBe(true);
  });
});
