import { describe, expect, it } from "vitest";

import { createClient, GrpcError, Status, type Interceptor } from "../src/index.ts";
import { drain, Echo, pair, sayPath } from "./echo-service.ts";

function recorder(name: string, told: string[]): Interceptor {
  return {
    async unary(_, next) {
      told.push(`${name} in`);
      try {
        return await next();
      } finally {
        told.push(`${name} out`);
      }
    },
    async *serverStream(_, next) {
      told.push(`${name} in`);
      try {
        yield* next();
      } finally {
        told.push(`${name} out`);
      }
    },
  };
}

describe("interceptors", () => {
  it("wrap each call, the first outermost", async () => {
    const told: string[] = [];
    await using peers = await pair({}, { interceptors: [recorder("a", told), recorder("b", told)] });
    const client = createClient(Echo, peers.channel);
    await client.say({});
    expect(told.splice(0)).toEqual(["a in", "b in", "b out", "a out"]);
    await drain(client.repeat({ count: 2 }));
    expect(told).toEqual(["a in", "b in", "b out", "a out"]);
  });

  it("refuse a call before its request is decoded", async () => {
    const refuse = (): never => {
      throw new GrpcError(Status.UNAUTHENTICATED, "who are you?");
    };
    await using peers = await pair({}, { interceptors: [{ unary: refuse, serverStream: refuse }] });
    const refused = { code: Status.UNAUTHENTICATED, message: "who are you?" };
    await expect(peers.channel.unary(sayPath, Uint8Array.of(0x0a, 0xff))).rejects.toMatchObject(refused);
    expect((await drain(createClient(Echo, peers.channel).repeat({}))).error).toMatchObject(refused);
  });
});
