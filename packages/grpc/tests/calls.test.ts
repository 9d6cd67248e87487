import { describe, expect, it } from "vitest";

import { createClient, Metadata, openChannel, serve, serviceOf, Status, type Server } from "../src/index.ts";
import { toBinary, create } from "@bufbuild/protobuf";
import { drain, Echo, NoteSchema, pair, parrot, sayPath } from "./echo-service.ts";

describe("calls", () => {
  it("carries a request and its answer", async () => {
    await using peers = await pair();
    const client = createClient(Echo, peers.channel);
    expect(await client.say({ text: "héllo", count: 3 })).toMatchObject({ text: "héllo", count: 3 });
    expect(await client.say({})).toMatchObject({ text: "", count: 0 });
  });

  it("keeps large answers apart that wait for the window at once", async () => {
    await using peers = await pair({ say: ({ count }) => ({ text: String(count).repeat(900_000) }) });
    const client = createClient(Echo, peers.channel);
    const digits = [1, 2, 3, 4, 5, 6, 7, 8];
    const answers = await Promise.all(digits.map(async (count) => client.say({ count })));
    for (const [at, { text }] of answers.entries()) {
      expect(text === String(digits[at]).repeat(900_000), `answer ${at}`).toBe(true);
    }
  });

  it("streams answers in order, also none", async () => {
    await using peers = await pair();
    const client = createClient(Echo, peers.channel);
    const { messages, error } = await drain(client.repeat({ text: "x", count: 1_000 }));
    expect(error).toBeUndefined();
    expect(messages.map(({ count }) => count)).toEqual(Array.from({ length: 1_000 }, (_, at) => at));
    expect(await drain(client.repeat({ count: 0 }))).toEqual({ messages: [], error: undefined });
  });

  it("carries metadata both ways, text and bytes, several values in order", async () => {
    const bytes = Uint8Array.of(0, 255, 10, 13);
    let seen: Metadata | undefined;
    await using peers = await pair(
      {
        say(request, call) {
          seen = call.metadata;
          call.responseHeaders.set("x-head", "h");
          call.responseHeaders.setBinary("x-head-bin", bytes);
          call.responseTrailers.append("x-tail", "1");
          call.responseTrailers.append("x-tail", "2");
          return request;
        },
      },
      { channel: { metadata: Metadata.from({ "X-Channel": "c" }) } },
    );
    const metadata = Metadata.from({ "x-call": "a" });
    metadata.append("x-call", "b");
    metadata.setBinary("x-call-bin", bytes);
    const answer = await peers.channel.unary(sayPath, new Uint8Array(), { metadata });

    expect(seen?.get("x-channel")).toBe("c");
    expect(seen?.getAll("x-call").join(", ")).toBe("a, b");
    expect([...(seen?.getBinary("x-call-bin") ?? [])]).toEqual([...bytes]);
    expect(answer.headers.get("x-head")).toBe("h");
    expect([...(answer.headers.getBinary("x-head-bin") ?? [])]).toEqual([...bytes]);
    expect(answer.trailers.getAll("x-tail").join(", ")).toBe("1, 2");
  });

  it("tells the implementation who calls what", async () => {
    const seen: string[] = [];
    await using peers = await pair({
      say(request, call) {
        seen.push(call.path, call.method.localName, call.peer.split(":")[0] ?? "");
        return request;
      },
    });
    await createClient(Echo, peers.channel).say({});
    expect(seen).toEqual([sayPath, "say", "127.0.0.1"]);
  });

  it("refuses messages above the limit, in each direction and on each side", async () => {
    const big = { text: "x".repeat(2_000) };
    await using small = await pair({ say: () => big }, { maxMessageBytes: 1_000 });
    const client = createClient(Echo, small.channel);
    await expect(client.say(big), "the server's limit of a request").rejects.toMatchObject({
      code: Status.RESOURCE_EXHAUSTED,
    });
    await expect(client.say({}), "the server's limit of an answer").rejects.toMatchObject({
      code: Status.RESOURCE_EXHAUSTED,
    });

    await using wide = await pair({ say: () => big }, { channel: { maxMessageBytes: 1_000 } });
    const careful = createClient(Echo, wide.channel);
    await expect(careful.say(big), "the client's limit of a request").rejects.toMatchObject({
      code: Status.RESOURCE_EXHAUSTED,
      message: expect.stringContaining("above 1000"),
    });
    await expect(careful.say({}), "the client's limit of an answer").rejects.toMatchObject({
      code: Status.RESOURCE_EXHAUSTED,
    });
  });

  it("finds its target by name too", async () => {
    await using peers = await pair({}, { host: "localhost" });
    for (const target of [`dns:///localhost:${peers.server.port}`, `localhost:${peers.server.port}`]) {
      const channel = openChannel(target);
      expect(await createClient(Echo, channel).say({ text: target })).toMatchObject({ text: target });
      channel.close();
    }
  });

  const serveCounted = (counts: number[]): Promise<Server[]> =>
    Promise.all(
      counts.map((_, at) =>
        serve({
          services: [
            serviceOf(Echo, {
              ...parrot,
              say: (request) => {
                counts[at] = (counts[at] ?? 0) + 1;
                return request;
              },
            }),
          ],
          host: "127.0.0.1",
          port: 0,
        }),
      ),
    );

  it("stays with the first address that answers by pick_first, and goes on to the next", async () => {
    const counts = [0, 0];
    const servers = await serveCounted(counts);
    const target = `ipv4:${servers.map(({ port }) => `127.0.0.1:${port}`).join(",")}`;
    const channel = openChannel(target, { policy: "pick_first" });
    const client = createClient(Echo, channel);
    for (let at = 0; at < 20; at++) await client.say({});
    expect(counts).toEqual([20, 0]);
    await servers[0]?.close(0);
    for (let at = 0; at < 5; at++) await client.say({}, { waitForReady: true, timeoutMs: 10_000 });
    expect(counts).toEqual([20, 5]);
    channel.close();
    await servers[1]?.close(0);
  });

  it("spreads calls over every address of a target", async () => {
    const counts = [0, 0];
    const servers = await serveCounted(counts);
    const channel = openChannel(`ipv4:${servers.map(({ port }) => `127.0.0.1:${port}`).join(",")}`);
    const client = createClient(Echo, channel);
    while (counts.includes(0)) await client.say({});
    counts.fill(0);
    for (let at = 0; at < 20; at++) await client.say({});
    expect(counts).toEqual([10, 10]);
    channel.close();
    await Promise.all(servers.map((server) => server.close(0)));
  });

  it("rejects when it cannot listen, and says where", async () => {
    await using peers = await pair();
    const again = serve({ services: [], host: "127.0.0.1", port: peers.server.port });
    await expect(again).rejects.toThrow(`cannot listen on 127.0.0.1:${peers.server.port}`);
  });

  it("fails with INTERNAL what is no message of its type", async () => {
    await using peers = await pair();
    const junk = Uint8Array.of(0x0a, 0xff);
    await expect(peers.channel.unary(sayPath, junk)).rejects.toMatchObject({ code: Status.INTERNAL });
    const note = toBinary(NoteSchema, create(NoteSchema, { text: "ok" }));
    expect((await peers.channel.unary(sayPath, note)).message).toEqual(Buffer.from(note));
  });
});
