import { once } from "node:events";

import { describe, expect, it } from "vitest";

import { createClient, createHealth, openChannel, serve, serviceOf, Status } from "../src/index.ts";
import { Health, HealthCheckResponse_ServingStatus as Serving } from "@chirrup/proto/grpc/health/v1/health";
import { drain, Echo, pair, parrot } from "./echo-service.ts";

describe("closing a server", () => {
  it("lets the calls in flight end and takes no new one", async () => {
    const { promise: called, resolve: onCalled } = Promise.withResolvers<void>();
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    await using peers = await pair({
      async say(request) {
        onCalled();
        await released;
        return request;
      },
    });
    const call = createClient(Echo, peers.channel).say({ text: "late" });
    await called;
    const closed = peers.server.close(20_000);
    const stranger = openChannel(`127.0.0.1:${peers.server.port}`);
    await expect(createClient(Echo, stranger).say({})).rejects.toMatchObject({ code: Status.UNAVAILABLE });
    stranger.close();
    release();
    expect(await call).toMatchObject({ text: "late" });
    await closed;
    await peers.server.close(0);
  });

  it("cancels what is left after the grace", async () => {
    const { promise: called, resolve: onCalled } = Promise.withResolvers<AbortSignal>();
    await using peers = await pair({
      async *repeat(_, call) {
        onCalled(call.signal);
        yield {};
        await once(call.signal, "abort");
      },
    });
    const reading = drain(createClient(Echo, peers.channel).repeat({}));
    const signal = await called;
    await peers.server.close(50);
    expect(signal.aborted).toBe(true);
    const { error } = await reading;
    expect([Status.UNAVAILABLE, Status.CANCELLED]).toContain((error as { code: number }).code);
  });

  it("lets a channel find the next server on the same port", async () => {
    await using peers = await pair();
    const client = createClient(Echo, peers.channel);
    await client.say({});
    await peers.server.close(0);
    const services = [serviceOf(Echo, parrot)];
    const next = await serve({ services, host: "127.0.0.1", port: peers.server.port });
    const answer = await client.say({ text: "again" }, { waitForReady: true, timeoutMs: 10_000 });
    expect(answer).toMatchObject({ text: "again" });
    peers.channel.close();
    await next.close(1_000);
  });
});

describe("health", () => {
  it("answers for the server and each service", async () => {
    const health = createHealth();
    await using peers = await pair({}, { health });
    const client = createClient(Health, peers.channel);
    expect(await client.check({})).toMatchObject({ status: Serving.SERVING });
    await expect(client.check({ service: "test.Echo" })).rejects.toMatchObject({ code: Status.NOT_FOUND });
    health.set("test.Echo", false);
    expect(await client.check({ service: "test.Echo" })).toMatchObject({ status: Serving.NOT_SERVING });
    expect(await client.list({})).toMatchObject({
      statuses: { "": { status: Serving.SERVING }, "test.Echo": { status: Serving.NOT_SERVING } },
    });
  });

  it("tells those who watch of each change, and lets them go when the server closes", async () => {
    const health = createHealth();
    await using peers = await pair({}, { health });
    const client = createClient(Health, peers.channel);
    const watching = client.watch({ service: "test.Echo" })[Symbol.asyncIterator]();
    const next = async () => (await watching.next()).value?.status as Serving | undefined;
    expect(await next()).toBe(Serving.SERVICE_UNKNOWN);
    health.set("test.Echo", true);
    expect(await next()).toBe(Serving.SERVING);
    // Setting what it is already is no change.
    health.set("test.Echo", true);
    health.set("test.Echo", false);
    expect(await next()).toBe(Serving.NOT_SERVING);
    health.set("test.Echo", true);
    expect(await next()).toBe(Serving.SERVING);
    const closed = peers.server.close(20_000);
    expect(await next()).toBe(Serving.NOT_SERVING);
    expect(await watching.next()).toMatchObject({ done: true });
    await closed;
  });
});
