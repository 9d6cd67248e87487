import assert from "node:assert/strict";

import type { MessageInitShape } from "@bufbuild/protobuf";
import type {
  StreamingOutputCallRequestSchema,
  StreamingOutputCallResponse,
} from "@chirrup/proto/grpc/testing/messages";
import { TestService, UnimplementedService } from "@chirrup/proto/grpc/testing/test";

import { createClient, Metadata, Status, type CallOptions, type Channel } from "../../src/index.ts";
import { initialKey, trailingKey } from "./test-service.ts";

/** One of the cases of https://github.com/grpc/grpc/blob/master/doc/interop-test-descriptions.md: rejects when it fails. */
export type Case = (channel: Channel) => Promise<void>;

const requestSizes = [27_182, 8, 1_828, 45_904];
const answerSizes = [31_415, 9, 2_653, 58_979];
const largeRequest = 271_828;
const largeAnswer = 314_159;

const testOf = (channel: Channel) => createClient(TestService, channel);
const payload = (size: number) => ({ body: new Uint8Array(size) });
const sizeOf = (answer: StreamingOutputCallResponse): number => answer.payload?.body.length ?? -1;

/** The cases that apply to any server. */
export const cases: Readonly<Record<string, Case>> = {
  async empty_unary(channel) {
    await testOf(channel).emptyCall({});
  },

  async large_unary(channel) {
    const answer = await testOf(channel).unaryCall({
      responseSize: largeAnswer,
      payload: payload(largeRequest),
    });
    assert.equal(answer.payload?.body.length, largeAnswer);
  },

  async client_streaming(channel) {
    const requests = async function* () {
      for (const size of requestSizes) yield { payload: payload(size) };
    };
    const { aggregatedPayloadSize } = await testOf(channel).streamingInputCall(requests());
    assert.equal(aggregatedPayloadSize, 74_922);
  },

  async server_streaming(channel) {
    const sizes: number[] = [];
    const responseParameters = answerSizes.map((size) => ({ size }));
    for await (const answer of testOf(channel).streamingOutputCall({ responseParameters })) {
      sizes.push(sizeOf(answer));
    }
    assert.deepEqual(sizes, answerSizes);
  },

  async ping_pong(channel) {
    const turns = turnByTurn(requestSizes.length);
    const requests = async function* () {
      for (const [at, size] of requestSizes.entries()) {
        yield { responseParameters: [{ size: answerSizes[at] ?? 0 }], payload: payload(size) };
        await turns.answered(at);
      }
    };
    const sizes: number[] = [];
    for await (const answer of testOf(channel).fullDuplexCall(requests())) {
      turns.answer(sizes.push(sizeOf(answer)) - 1);
    }
    assert.deepEqual(sizes, answerSizes);
  },

  async empty_stream(channel) {
    const answers: unknown[] = [];
    for await (const answer of testOf(channel).fullDuplexCall(none())) answers.push(answer);
    assert.deepEqual(answers, []);
  },

  async custom_metadata(channel) {
    const sent = new Metadata();
    const octets = Uint8Array.of(0xab, 0xab, 0xab);
    sent.set(initialKey, "test_initial_metadata_value");
    sent.setBinary(trailingKey, octets);
    const seen = metadataSeen();
    const client = testOf(channel);
    const body = payload(largeRequest);
    await client.unaryCall(
      { responseSize: largeAnswer, payload: body },
      { metadata: sent, ...seen.listeners },
    );
    seen.check(octets);
    const request = { responseParameters: [{ size: largeAnswer }], payload: body };
    for await (const answer of client.fullDuplexCall(only(request), { metadata: sent, ...seen.listeners })) {
      assert.equal(sizeOf(answer), largeAnswer);
    }
    seen.check(octets);
  },

  async status_code_and_message(channel) {
    const responseStatus = { code: Status.UNKNOWN, message: "test status message" };
    const expected = { code: Status.UNKNOWN, message: responseStatus.message };
    const client = testOf(channel);
    await assert.rejects(client.unaryCall({ responseStatus }), expected);
    await assert.rejects(all(client.fullDuplexCall(only({ responseStatus }))), expected);
  },

  async special_status_message(channel) {
    const message = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n";
    const responseStatus = { code: Status.UNKNOWN, message };
    await assert.rejects(testOf(channel).unaryCall({ responseStatus }), { code: Status.UNKNOWN, message });
  },

  async unimplemented_method(channel) {
    await assert.rejects(testOf(channel).unimplementedCall({}), { code: Status.UNIMPLEMENTED });
  },

  async unimplemented_service(channel) {
    const client = createClient(UnimplementedService, channel);
    await assert.rejects(client.unimplementedCall({}), { code: Status.UNIMPLEMENTED });
  },

  async cancel_after_begin(channel) {
    const cancel = new AbortController();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const requests = async function* () {
      begin();
      await new Promise((resolve) => {
        cancel.signal.addEventListener("abort", resolve);
      });
      yield* none();
    };
    const answer = testOf(channel).streamingInputCall(requests(), { signal: cancel.signal });
    await begun;
    cancel.abort();
    await assert.rejects(answer, { code: Status.CANCELLED });
  },

  async cancel_after_first_response(channel) {
    const cancel = new AbortController();
    const turns = turnByTurn(1);
    const requests = async function* () {
      yield { responseParameters: [{ size: 31_415 }], payload: payload(27_182) };
      await turns.answered(0);
    };
    let received = 0;
    const reading = async (): Promise<void> => {
      for await (const answer of testOf(channel).fullDuplexCall(requests(), { signal: cancel.signal })) {
        assert.equal(sizeOf(answer), 31_415);
        received++;
        cancel.abort();
        turns.answer(0);
      }
    };
    await assert.rejects(reading(), { code: Status.CANCELLED });
    assert.equal(received, 1);
  },

  async timeout_on_sleeping_server(channel) {
    const cancel = new AbortController();
    const requests = async function* () {
      yield { payload: payload(27_182), responseParameters: [{ size: 31_415, intervalUs: 1_000_000 }] };
      await new Promise((resolve) => {
        cancel.signal.addEventListener("abort", resolve);
      });
    };
    const answers = all(testOf(channel).fullDuplexCall(requests(), { timeoutMs: 1 }));
    await assert.rejects(answers, { code: Status.DEADLINE_EXCEEDED });
    cancel.abort();
  },
};

/** Those for servers that tell whether a request was compressed. */
export const clientCompressedCases: Readonly<Record<string, Case>> = {
  async client_compressed_unary(channel) {
    const client = testOf(channel);
    const call = async (expected: boolean, options: CallOptions): Promise<number | undefined> => {
      const answer = await client.unaryCall(
        {
          expectCompressed: { value: expected },
          responseSize: largeAnswer,
          payload: payload(largeRequest),
        },
        options,
      );
      return answer.payload?.body.length;
    };
    await assert.rejects(call(true, {}), { code: Status.INVALID_ARGUMENT });
    assert.equal(await call(true, { compression: "gzip" }), largeAnswer);
    assert.equal(await call(false, {}), largeAnswer);
  },

  async client_compressed_streaming(channel) {
    const client = testOf(channel);
    const requests = async function* () {
      yield { expectCompressed: { value: true }, payload: payload(27_182) };
      yield { expectCompressed: { value: false }, payload: payload(45_904) };
    };
    await assert.rejects(client.streamingInputCall(requests()), { code: Status.INVALID_ARGUMENT });
    const { aggregatedPayloadSize } = await client.streamingInputCall(requests(), {
      compression: "gzip",
      compresses: ({ length }) => length < 40_000,
    });
    assert.equal(aggregatedPayloadSize, 73_086);
  },
};

/** Those for servers that compress when they are asked to; `flags` gives those of the answers since it was last asked. */
export const serverCompressedCases: Readonly<
  Record<string, (channel: Channel, flags: () => readonly boolean[]) => Promise<void>>
> = {
  async server_compressed_unary(channel, flags) {
    for (const value of [true, false]) {
      const answer = await testOf(channel).unaryCall({
        responseCompressed: { value },
        responseSize: largeAnswer,
        payload: payload(largeRequest),
      });
      assert.equal(answer.payload?.body.length, largeAnswer);
      assert.deepEqual(flags(), [value]);
    }
  },

  async server_compressed_streaming(channel, flags) {
    const responseParameters = [
      { compressed: { value: true }, size: 31_415 },
      { compressed: { value: false }, size: 92_653 },
    ];
    const answers = await all(testOf(channel).streamingOutputCall({ responseParameters }));
    assert.deepEqual(answers.map(sizeOf), [31_415, 92_653]);
    assert.deepEqual(flags(), [true, false]);
  },
};

type Request = MessageInitShape<typeof StreamingOutputCallRequestSchema>;

async function* none(): AsyncGenerator<never> {}

async function* only(request: Request): AsyncGenerator<Request> {
  yield request;
}

async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const messages: T[] = [];
  for await (const message of stream) messages.push(message);
  return messages;
}

/** Lets a sender wait for the answer to what it sent. */
function turnByTurn(turns: number): { answer(at: number): void; answered(at: number): Promise<void> } {
  const each = Array.from({ length: turns }, () => Promise.withResolvers<void>());
  return {
    answer: (at) => each[at]?.resolve(),
    answered: async (at) => each[at]?.promise,
  };
}

function metadataSeen() {
  let headers: Metadata | undefined;
  let trailers: Metadata | undefined;
  return {
    listeners: {
      onHeaders: (metadata: Metadata) => {
        headers = metadata;
      },
      onTrailers: (metadata: Metadata) => {
        trailers = metadata;
      },
    },
    check(octets: Uint8Array) {
      assert.equal(headers?.get(initialKey), "test_initial_metadata_value");
      assert.deepEqual([...(trailers?.getBinary(trailingKey) ?? [])], [...octets]);
      headers = undefined;
      trailers = undefined;
    },
  };
}
