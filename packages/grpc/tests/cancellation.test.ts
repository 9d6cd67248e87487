import { once } from "node:events";

import { describe, expect, it, vi } from "vitest";

import { createClient, GrpcError, Status, type ServerCall } from "../src/index.ts";
import { drain, Echo, pair } from "./echo-service.ts";

/** An implementation that waits until its call is wanted no longer, and tells how that came. */
function waiter() {
  const { promise: called, resolve: onCalled } = Promise.withResolvers<ServerCall>();
  const { promise: stopped, resolve: onStopped } = Promise.withResolvers<unknown>();
  const wait = async (call: ServerCall): Promise<void> => {
    onCalled(call);
    if (!call.signal.aborted) await once(call.signal, "abort");
    onStopped(call.signal.reason);
  };
  return {
    called,
    stopped,
    impl: {
      async say(_: unknown, call: ServerCall) {
        await wait(call);
        return {};
      },
      async *repeat(_: unknown, call: ServerCall) {
        yield { count: 1 };
        await wait(call);
      },
    },
  };
}

describe("deadlines", () => {
  it("end the call on both sides, each knowing why", async () => {
    const { impl, called, stopped } = waiter();
    await using peers = await pair(impl);
    const before = Date.now();
    // Long enough for a busy machine to bring the call to its implementation.
    const call = createClient(Echo, peers.channel).say({}, { timeoutMs: 2_000 });
    await expect(call).rejects.toMatchObject({ code: Status.DEADLINE_EXCEEDED });
    const { deadlineMs } = await called;
    expect(deadlineMs).toBeGreaterThan(before);
    expect(deadlineMs).toBeLessThan(before + 5_000);
    const reason = await stopped;
    expect(reason).toBeInstanceOf(GrpcError);
    // Whether the server's own timer or the client's reset comes first is a race.
    expect([Status.DEADLINE_EXCEEDED, Status.CANCELLED]).toContain((reason as GrpcError).code);
  });

  it("are the channel's default for unary calls", async () => {
    const { impl } = waiter();
    await using peers = await pair(impl, { channel: { defaultTimeoutMs: 50 } });
    await expect(createClient(Echo, peers.channel).say({})).rejects.toMatchObject({
      code: Status.DEADLINE_EXCEEDED,
    });
  });

  it("that passed before fail at once, without a server", async () => {
    await using peers = await pair();
    const client = createClient(Echo, peers.channel);
    await peers.server.close(0);
    for (const timeoutMs of [0, -5]) {
      await expect(client.say({}, { timeoutMs })).rejects.toMatchObject({ code: Status.DEADLINE_EXCEEDED });
    }
  });

  it("may be longer than the wire can say", async () => {
    await using peers = await pair();
    const client = createClient(Echo, peers.channel);
    expect(await client.say({ text: "x" }, { timeoutMs: Number.MAX_SAFE_INTEGER })).toMatchObject({
      text: "x",
    });
  });

  it("are absent without one", async () => {
    let deadlineMs: number | undefined = 0;
    await using peers = await pair({
      say(request, call) {
        ({ deadlineMs } = call);
        return request;
      },
    });
    await createClient(Echo, peers.channel).say({});
    expect(deadlineMs).toBeUndefined();
  });
});

describe("cancellation", () => {
  it("by a signal ends a unary call on both sides", async () => {
    const { impl, called, stopped } = waiter();
    await using peers = await pair(impl);
    const controller = new AbortController();
    const failed = createClient(Echo, peers.channel)
      .say({}, { signal: controller.signal })
      .catch((error: unknown) => error);
    await called;
    controller.abort("enough");
    expect(await failed).toMatchObject({ code: Status.CANCELLED, cause: "enough" });
    expect(await stopped).toMatchObject({ code: Status.CANCELLED });
  });

  it("by a signal ends a stream on both sides", async () => {
    const { impl, called, stopped } = waiter();
    await using peers = await pair(impl);
    const controller = new AbortController();
    const reading = drain(createClient(Echo, peers.channel).repeat({}, { signal: controller.signal }));
    await called;
    controller.abort("enough");
    expect((await reading).error).toMatchObject({ code: Status.CANCELLED, cause: "enough" });
    expect(await stopped).toMatchObject({ code: Status.CANCELLED });
  });

  it("before the call keeps it from being made", async () => {
    const { impl } = waiter();
    await using peers = await pair(impl);
    const client = createClient(Echo, peers.channel);
    const signal = AbortSignal.abort("no");
    await expect(client.say({}, { signal })).rejects.toMatchObject({ code: Status.CANCELLED, cause: "no" });
    expect((await drain(client.repeat({}, { signal }))).error).toMatchObject({ code: Status.CANCELLED });
  });

  it("comes from leaving the loop, and runs the implementation's finally", async () => {
    let left = false;
    await using peers = await pair({
      async *repeat() {
        try {
          for (let count = 0; ; count++) yield { count };
        } finally {
          left = true;
        }
      },
    });
    for await (const { count } of createClient(Echo, peers.channel).repeat({})) if (count === 3) break;
    await vi.waitFor(() => expect(left).toBe(true));
  });

  it("is not seen by a call that ended well", async () => {
    const signals: AbortSignal[] = [];
    await using peers = await pair({
      say(request, call) {
        signals.push(call.signal);
        return request;
      },
      async *repeat(request, call) {
        signals.push(call.signal);
        yield request;
      },
    });
    const client = createClient(Echo, peers.channel);
    await client.say({});
    await drain(client.repeat({}));
    await client.say({});
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, false, false]);
  });
});

describe("backpressure", () => {
  it("stops a stream that nobody reads", async () => {
    let produced = 0;
    await using peers = await pair({
      async *repeat() {
        while (produced < 5_000) {
          produced++;
          yield { text: "x".repeat(16_384) };
        }
      },
    });
    const client = createClient(Echo, peers.channel);
    const reader = client.repeat({})[Symbol.asyncIterator]();
    await reader.next();
    // Each answer is proof that both ends had time to run.
    for (let at = 0; at < 300; at++) await client.say({});
    const held = produced;
    expect(held).toBeLessThan(200);
    for (let at = 0; at < 300; at++) await reader.next();
    expect(produced).toBeGreaterThan(held);
    await reader.return?.();
  });
});
