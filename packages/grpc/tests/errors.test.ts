import { describe, expect, it } from "vitest";

import { createClient, GrpcError, Status } from "../src/index.ts";
import { drain, Echo, pair } from "./echo-service.ts";

const detail = { typeUrl: "type.googleapis.com/test.Note", value: Uint8Array.of(10, 1, 120) };

describe("errors", () => {
  it("carries code, message and details", async () => {
    await using peers = await pair({
      say() {
        throw new GrpcError(Status.NOT_FOUND, "no «note» 100%\nhere", { details: [detail], cause: "hidden" });
      },
    });
    const error = await createClient(Echo, peers.channel)
      .say({})
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(GrpcError);
    expect(error).toMatchObject({ code: Status.NOT_FOUND, message: "no «note» 100%\nhere" });
    const [received] = (error as GrpcError).details;
    expect(received?.typeUrl).toBe(detail.typeUrl);
    expect([...(received?.value ?? [])]).toEqual([...detail.value]);
  });

  it("sends what was yielded before the error", async () => {
    await using peers = await pair({
      async *repeat() {
        yield { count: 1 };
        yield { count: 2 };
        throw new GrpcError(Status.ABORTED, "enough", { details: [detail] });
      },
    });
    const { messages, error } = await drain(createClient(Echo, peers.channel).repeat({}));
    expect(messages.map(({ count }) => count)).toEqual([1, 2]);
    expect(error).toMatchObject({
      code: Status.ABORTED,
      message: "enough",
      details: [{ typeUrl: detail.typeUrl }],
    });
  });

  it.each([
    [
      "thrown",
      () => {
        throw new Error("password hunter2");
      },
    ],
    [
      "rejected",
      async () => {
        throw new TypeError("password hunter2");
      },
    ],
    [
      "not an error",
      async () => {
        // oxlint-disable-next-line typescript/only-throw-error
        throw "hunter2";
      },
    ],
  ])("hides any other error: %s", async (_, say) => {
    await using peers = await pair({ say });
    const call = createClient(Echo, peers.channel).say({});
    await expect(call).rejects.toMatchObject({
      code: Status.INTERNAL,
      message: "internal error",
      details: [],
    });
  });

  it("hides it in a stream too", async () => {
    await using peers = await pair({
      repeat() {
        throw new Error("hunter2");
      },
    });
    const { error } = await drain(createClient(Echo, peers.channel).repeat({}));
    expect(error).toMatchObject({ code: Status.INTERNAL, message: "internal error" });
  });

  it("survives a message that is no well-formed text", async () => {
    await using peers = await pair({
      say() {
        throw new GrpcError(Status.ABORTED, "half \ud800 pair");
      },
    });
    await expect(createClient(Echo, peers.channel).say({})).rejects.toMatchObject({
      code: Status.ABORTED,
      message: "half \ufffd pair",
    });
  });

  it("answers UNIMPLEMENTED for what it does not serve", async () => {
    await using peers = await pair();
    await expect(peers.channel.unary("/test.Echo/Sing", new Uint8Array())).rejects.toMatchObject({
      code: Status.UNIMPLEMENTED,
    });
  });

  it("answers UNAVAILABLE without a server and after the channel was closed", async () => {
    const peers = await pair();
    await peers.server.close(0);
    const client = createClient(Echo, peers.channel);
    await expect(client.say({}, { timeoutMs: 5_000 })).rejects.toMatchObject({ code: Status.UNAVAILABLE });
    peers.channel.close();
    await expect(client.say({})).rejects.toMatchObject({ code: Status.UNAVAILABLE });
    expect((await drain(client.repeat({}))).error).toMatchObject({ code: Status.UNAVAILABLE });
  });
});
