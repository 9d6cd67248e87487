import type { MessageInitShape } from "@bufbuild/protobuf";
import { createClient, GrpcError, Metadata, openChannel, Status, type CallOptions } from "@chirrup/grpc";
import { FollowService } from "@chirrup/proto/chirrup/follow/v1/follow_service";
import { Health, HealthCheckResponse_ServingStatus as Serving } from "@chirrup/proto/grpc/health/v1/health";
import { ServerReflection } from "@chirrup/proto/grpc/reflection/v1/reflection";
import { waitFor } from "@chirrup/testkit";
import { afterEach, describe, expect, it } from "vitest";

import {
  createLogger,
  createMetrics,
  metadataKeys,
  notFound,
  openPeer,
  peerCallOptions,
  requireCaller,
  serveRpc,
  type Call,
  type Handler,
  type Handlers,
} from "../../src/index.ts";

const peerSecret = "a secret between the services of a test";
const followPath = "/chirrup.follow.v1.FollowService/Follow";
const identity = { [metadataKeys.userId]: "42", [metadataKeys.sessionId]: "7" };
const closers: (() => void | Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

type FollowAnswer = MessageInitShape<typeof FollowService.method.follow.output>;

interface Given {
  readonly follow?: (call: Call) => Promise<FollowAnswer>;
  readonly stream?: Handler<typeof FollowService.method.streamFollowers>;
}

/** The follow service with handlers of the test's own, and what it logged and measured. */
async function served({ follow = async () => ({}), stream = async function* () {} }: Given = {}) {
  const lines: Record<string, unknown>[] = [];
  const destination = {
    write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>),
  };
  const metrics = createMetrics({ service: "test" });
  const unserved = FollowService.methods.map(({ localName }) => [localName, async () => ({})]);
  const server = await serveRpc({
    service: FollowService,
    handlers: {
      ...(Object.fromEntries(unserved) as unknown as Handlers<typeof FollowService>),
      follow: (_, call) => follow(call),
      streamFollowers: stream,
    },
    host: "127.0.0.1",
    port: 0,
    peerSecret,
    log: createLogger({ service: "test", level: "debug", format: "json", destination }),
    metrics,
  });
  const address = `127.0.0.1:${server.port}`;
  const peer = openPeer(address, peerSecret);
  closers.push(
    () => server.close(0),
    () => peer.close(),
  );
  const rpcLine = () =>
    waitFor(() => lines.find(({ msg }) => msg === "rpc"), { what: "a line for the call" });
  return { address, client: createClient(FollowService, peer), lines, rpcLine, metrics };
}

const as = (init: Record<string, string>): CallOptions => ({ metadata: Metadata.from(init) });

describe("peers", () => {
  it.each([
    ["without the secret", {}],
    ["with another secret", { [metadataKeys.peerSecret]: "b secret between the services of a test" }],
    ["with a part of it", { [metadataKeys.peerSecret]: peerSecret.slice(1) }],
  ])("are refused %s, whoever they say they are", async (_, init) => {
    let called = false;
    const { address, rpcLine } = await served({
      follow: async () => {
        called = true;
        return {};
      },
    });
    const channel = openChannel(address, { metadata: Metadata.from({ ...identity, ...init }) });
    closers.push(() => channel.close());
    await expect(createClient(FollowService, channel).follow({ userId: 9n })).rejects.toMatchObject({
      code: Status.UNAUTHENTICATED,
      message: "the peer did not prove itself",
    });
    expect((await rpcLine())["callerId"]).toBeUndefined();
    expect(called).toBe(false);
    const health = createClient(Health, channel);
    expect(await health.check({ service: "chirrup.follow.v1.FollowService" })).toMatchObject({
      status: Serving.SERVING,
    });
  });
});

describe("reflection", () => {
  const list = async (address: string, init: Record<string, string>): Promise<string[]> => {
    const channel = openChannel(address, { metadata: Metadata.from(init) });
    closers.push(() => channel.close());
    const question = async function* () {
      yield { messageRequest: { case: "listServices", value: "" } as const };
    };
    const names: string[] = [];
    const answers = createClient(ServerReflection, channel).serverReflectionInfo(question());
    for await (const { messageResponse } of answers) {
      if (messageResponse.case !== "listServicesResponse") continue;
      names.push(...messageResponse.value.service.map(({ name }) => name));
    }
    return names;
  };

  it("tells a peer what is served, and nobody else", async () => {
    const { address } = await served();
    expect(await list(address, { [metadataKeys.peerSecret]: peerSecret })).toEqual([
      "chirrup.follow.v1.FollowService",
      "grpc.health.v1.Health",
      "grpc.reflection.v1.ServerReflection",
    ]);
    await expect(list(address, {})).rejects.toMatchObject({ code: Status.UNAUTHENTICATED });
  });
});

describe("a call", () => {
  it("knows its caller and what came with it", async () => {
    let seen: Call | undefined;
    const { client } = await served({
      follow: async (call) => {
        seen = call;
        return {};
      },
    });
    const traceparent = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
    await client.follow(
      { userId: 9n },
      as({
        ...identity,
        [metadataKeys.requestId]: "r-1",
        [metadataKeys.traceparent]: traceparent,
        [metadataKeys.idempotencyKey]: "k",
        [metadataKeys.clientAddress]: "192.0.2.1",
        [metadataKeys.userAgent]: "curl/8",
      }),
    );
    expect(seen).toMatchObject({
      caller: { userId: 42n, sessionId: 7n },
      requestId: "r-1",
      traceparent,
      idempotencyKey: "k",
      clientAddress: "192.0.2.1",
      userAgent: "curl/8",
    });
  });

  it("without a caller is refused by requireCaller, and gets a request id and a trace", async () => {
    let seen: Call | undefined;
    const { client } = await served({
      follow: async (call) => {
        seen = call;
        requireCaller(call);
        return {};
      },
    });
    const odd = as({ [metadataKeys.requestId]: "two words", [metadataKeys.traceparent]: "none" });
    await expect(client.follow({ userId: 9n }, odd)).rejects.toMatchObject({ code: Status.UNAUTHENTICATED });
    expect(seen?.requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(seen?.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  });

  it.each([["0"], ["-1"], ["1e3"], ["9".repeat(20)], [""]])(
    "with the user id %j is refused",
    async (userId) => {
      const { client } = await served();
      const call = client.follow({ userId: 9n }, as({ ...identity, [metadataKeys.userId]: userId }));
      await expect(call).rejects.toMatchObject({ code: Status.UNAUTHENTICATED });
    },
  );

  it("goes onward with its caller, its ids and what is left of its deadline", async () => {
    const onward: CallOptions[] = [];
    const { client } = await served({
      follow: async (call) => {
        onward.push(call.onward(), call.onward({ timeoutMs: 10 }));
        return {};
      },
    });
    await client.follow(
      { userId: 9n },
      { ...as({ ...identity, [metadataKeys.requestId]: "r-1" }), timeoutMs: 3_000 },
    );
    await client.follow({ userId: 9n }, { ...peerCallOptions(), timeoutMs: 60_000 });
    const [plain, bounded, far] = onward;
    expect(plain?.timeoutMs).toBeGreaterThan(0);
    expect(plain?.timeoutMs).toBeLessThanOrEqual(3_000);
    expect(bounded?.timeoutMs).toBe(10);
    expect(far?.timeoutMs, "bounded without being asked").toBe(5_000);
    const metadata = plain?.metadata;
    expect(metadata?.get(metadataKeys.userId)).toBe("42");
    expect(metadata?.get(metadataKeys.sessionId)).toBe("7");
    expect(metadata?.get(metadataKeys.requestId)).toBe("r-1");
    expect(far?.metadata?.get(metadataKeys.userId)).toBeUndefined();
  });

  it("takes what it calls onward with it when it is cancelled", async () => {
    const { promise: called, resolve: onCalled } = Promise.withResolvers<CallOptions>();
    const { client } = await served({
      follow: async (call) => {
        const onward = call.onward();
        onCalled(onward);
        await waitFor(() => onward.signal?.aborted === true && call.signal.aborted);
        return {};
      },
    });
    const controller = new AbortController();
    const call = client.follow({ userId: 9n }, { signal: controller.signal });
    const { signal } = await called;
    expect(signal?.aborted).toBe(false);
    controller.abort();
    await expect(call).rejects.toMatchObject({ code: Status.CANCELLED });
    await waitFor(() => signal?.aborted === true);
    expect(signal?.reason).toMatchObject({ code: Status.CANCELLED });
  });
});

describe("the outcome", () => {
  it("of a DomainError is its status; the log has no more than that", async () => {
    const { client, rpcLine, metrics } = await served({
      follow: async () => {
        throw notFound("user", 9n);
      },
    });
    const call = client.follow({ userId: 9n }, as({ ...identity, [metadataKeys.requestId]: "r-2" }));
    await expect(call).rejects.toMatchObject({ code: Status.NOT_FOUND, message: "there is no user 9" });
    const line = await rpcLine();
    expect(line).toMatchObject({
      level: "info",
      method: followPath,
      status: "NOT_FOUND",
      requestId: "r-2",
      callerId: "42",
    });
    expect(line["err"]).toBeUndefined();
    expect(await metrics.registry.getSingleMetricAsString("rpc_server_duration_seconds")).toMatch(
      /_count\{.*method="\/chirrup.follow.v1.FollowService\/Follow",code="NOT_FOUND"\} 1/,
    );
  });

  it("of any other error is INTERNAL to the peer and an error with its stack in the log", async () => {
    const { client, rpcLine } = await served({
      follow: async () => {
        throw new TypeError("a bug");
      },
    });
    await expect(client.follow({ userId: 9n })).rejects.toMatchObject({
      code: Status.INTERNAL,
      message: "internal error",
    });
    expect(await rpcLine()).toMatchObject({ level: "error", status: "INTERNAL", err: { message: "a bug" } });
  });

  it("of a cancelled call is CANCELLED, whatever the handler made of it", async () => {
    const { promise: called, resolve: onCalled } = Promise.withResolvers<void>();
    const { client, rpcLine } = await served({
      follow: async ({ signal }) => {
        onCalled();
        await waitFor(() => signal.aborted);
        throw new Error("aborted");
      },
    });
    const controller = new AbortController();
    const call = client
      .follow({ userId: 9n }, { signal: controller.signal })
      .catch((error: unknown) => error);
    await called;
    controller.abort();
    expect(await call).toBeInstanceOf(GrpcError);
    expect(await rpcLine()).toMatchObject({ level: "debug", status: "CANCELLED" });
  });

  it("of a stream is told once, at its end", async () => {
    const { client, lines, rpcLine } = await served({
      async *stream() {
        yield { followerIds: [1n] };
        throw notFound("user", 1n);
      },
    });
    const received: bigint[] = [];
    const reading = (async () => {
      for await (const { followerIds } of client.streamFollowers({ userId: 9n }))
        received.push(...followerIds);
    })();
    await expect(reading).rejects.toMatchObject({ code: Status.NOT_FOUND });
    expect(received).toEqual([1n]);
    expect(await rpcLine()).toMatchObject({ status: "NOT_FOUND" });
    expect(lines.filter(({ msg }) => msg === "rpc")).toHaveLength(1);
  });

  it("of a stream that its reader left is CANCELLED", async () => {
    const { client, rpcLine } = await served({
      async *stream() {
        for (let id = 1n; ; id++) yield { followerIds: [id] };
      },
    });
    for await (const _ of client.streamFollowers({ userId: 9n })) break;
    expect(await rpcLine()).toMatchObject({ status: "CANCELLED" });
  });
});
