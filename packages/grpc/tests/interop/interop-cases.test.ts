import { describe, expect, it } from "vitest";

import { openChannel, serve, type Channel, type Server } from "../../src/index.ts";
import { cases, clientCompressedCases, serverCompressedCases, type Case } from "./cases.ts";
import { tapCompression } from "./compression-tap.ts";
import { grpcJsChannel } from "./grpc-js-channel.ts";
import { grpcJsServer } from "./grpc-js-server.ts";
import { testServiceDefinition } from "./test-service.ts";

async function serveTests(): Promise<Server> {
  return serve({ services: [testServiceDefinition()], host: "127.0.0.1", port: 0 });
}

async function passes(test: Case, channel: Channel): Promise<void> {
  try {
    await test(channel);
  } finally {
    channel.close();
  }
}

const all = { ...cases, ...clientCompressedCases };

describe("the official interop cases, this client with", () => {
  it.each(Object.entries(cases))("a grpc-js server: %s", async (_, test) => {
    await using server = await grpcJsServer();
    await expect(passes(test, openChannel(`127.0.0.1:${server.port}`))).resolves.toBeUndefined();
  });

  it.each(Object.entries(all))("this server: %s", async (_, test) => {
    const server = await serveTests();
    await expect(passes(test, openChannel(`127.0.0.1:${server.port}`))).resolves.toBeUndefined();
    await server.close(0);
  });

  it.each(Object.entries(serverCompressedCases))("this server, seen on the wire: %s", async (_, test) => {
    const server = await serveTests();
    {
      await using tap = await tapCompression(server.port);
      await expect(
        passes(async (channel) => test(channel, tap.flags), openChannel(`127.0.0.1:${tap.port}`)),
      ).resolves.toBeUndefined();
    }
    await server.close(0);
  });
});

describe("the official interop cases, this server with", () => {
  it.each(Object.entries(all))("a grpc-js client: %s", async (_, test) => {
    const server = await serveTests();
    await expect(passes(test, grpcJsChannel(server.port))).resolves.toBeUndefined();
    await server.close(0);
  });

  it.each(Object.entries(serverCompressedCases))(
    "a grpc-js client, seen on the wire: %s",
    async (_, test) => {
      const server = await serveTests();
      {
        await using tap = await tapCompression(server.port);
        await expect(
          passes(async (channel) => test(channel, tap.flags), grpcJsChannel(tap.port)),
        ).resolves.toBeUndefined();
      }
      await server.close(0);
    },
  );
});

it("has all cases that need no cloud", () => {
  expect(Object.keys({ ...all, ...serverCompressedCases }).toSorted()).toEqual([
    "cancel_after_begin",
    "cancel_after_first_response",
    "client_compressed_streaming",
    "client_compressed_unary",
    "client_streaming",
    "custom_metadata",
    "empty_stream",
    "empty_unary",
    "large_unary",
    "ping_pong",
    "server_compressed_streaming",
    "server_compressed_unary",
    "server_streaming",
    "special_status_message",
    "status_code_and_message",
    "timeout_on_sleeping_server",
    "unimplemented_method",
    "unimplemented_service",
  ]);
});
