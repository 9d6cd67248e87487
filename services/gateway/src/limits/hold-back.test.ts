import { GrpcError, Metadata, Status, type Channel } from "@chirrup/grpc";
import { overloaded, resourceExhausted, toGrpcError } from "@chirrup/platform";
import { beforeEach, describe, expect, it } from "vitest";
import { holdBack } from "./hold-back.ts";

const answer = { message: Buffer.alloc(0), headers: new Metadata(), trailers: new Metadata() };
const none = Buffer.alloc(0);

describe("calls of a method that has no room", () => {
  let nowMs: number;
  let asked: string[];
  /** What the service answers now; undefined for success. */
  let refusal: GrpcError | undefined;
  let channel: Channel;
  beforeEach(() => {
    nowMs = 0;
    asked = [];
    refusal = undefined;
    const service: Channel = {
      unary(path) {
        asked.push(path);
        return refusal === undefined ? Promise.resolve(answer) : Promise.reject(refusal);
      },
      async *serverStream() {},
      close() {},
    };
    channel = holdBack(service, () => nowMs);
  });

  const full = toGrpcError(overloaded("too many sign-ins at once", 1_000));

  it("fail with the service's answer for a tenth of a second, and reach it then", async () => {
    refusal = full;
    await expect(channel.unary("/Login", none)).rejects.toBe(full);
    refusal = undefined;
    nowMs = 99;
    await expect(channel.unary("/Login", none)).rejects.toBe(full);
    expect(asked).toEqual(["/Login"]);
    nowMs = 100;
    await expect(channel.unary("/Login", none)).resolves.toBe(answer);
    await expect(channel.unary("/Login", none)).resolves.toBe(answer);
    expect(asked).toHaveLength(3);
  });

  it("leave those of the other methods alone", async () => {
    refusal = full;
    await expect(channel.unary("/Login", none)).rejects.toBe(full);
    refusal = undefined;
    await expect(channel.unary("/GetMe", none)).resolves.toBe(answer);
  });

  it.each([
    ["one caller's limit", toGrpcError(resourceExhausted("too many attempts", 1_000))],
    ["another failure", new GrpcError(Status.UNAVAILABLE, "away")],
    ["details that cannot be read", withDetail(Buffer.from([0xff]))],
  ])("are not held back after %s", async (_, failure) => {
    refusal = failure;
    await expect(channel.unary("/Login", none)).rejects.toBe(failure);
    await expect(channel.unary("/Login", none)).rejects.toBe(failure);
    expect(asked).toHaveLength(2);
  });
});

function withDetail(value: Uint8Array): GrpcError {
  const typeUrl = "type.googleapis.com/google.rpc.ErrorInfo";
  return new GrpcError(Status.RESOURCE_EXHAUSTED, "full", { details: [{ typeUrl, value }] });
}
