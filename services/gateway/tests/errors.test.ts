import { create, toBinary, type DescMessage, type MessageInitShape } from "@bufbuild/protobuf";
import { GrpcError, Status, statusName } from "@chirrup/grpc";
import { invalidArgument, resourceExhausted, unavailable } from "@chirrup/platform";
import {
  BadRequestSchema,
  DebugInfoSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from "@chirrup/proto/google/rpc/error_details";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fromUpstream } from "../src/errors/from-upstream.ts";
import { startGateway, type TestGateway } from "./gateway.ts";
import { sendRaw, type Answer } from "./http-client.ts";

const pack = <S extends DescMessage>(schema: S, init: MessageInitShape<S>) => ({
  typeUrl: `type.googleapis.com/${schema.typeName}`,
  value: toBinary(schema, create(schema, init)),
});

describe("errors", () => {
  let gateway: TestGateway;
  let token: string;
  beforeAll(async () => {
    gateway = await startGateway();
    token = await gateway.issuer.token();
  });
  afterAll(() => gateway[Symbol.asyncDispose]());

  const failWith = (error: Error): Promise<Answer> => {
    gateway.services.getPost = () => Promise.reject(error);
    return gateway.ask("GET", "/api/v1/posts/1", { token });
  };

  it.each([
    [Status.CANCELLED, 499],
    [Status.UNKNOWN, 500],
    [Status.INVALID_ARGUMENT, 400],
    [Status.DEADLINE_EXCEEDED, 504],
    [Status.NOT_FOUND, 404],
    [Status.ALREADY_EXISTS, 409],
    [Status.PERMISSION_DENIED, 403],
    [Status.RESOURCE_EXHAUSTED, 429],
    [Status.FAILED_PRECONDITION, 400],
    [Status.ABORTED, 409],
    [Status.OUT_OF_RANGE, 400],
    [Status.UNIMPLEMENTED, 501],
    [Status.INTERNAL, 500],
    [Status.UNAVAILABLE, 503],
    [Status.DATA_LOSS, 500],
  ])("answers status %i with %i", async (code, httpStatus) => {
    // Not over a service, since the platform keeps some codes to itself.
    const failure = fromUpstream(new GrpcError(code, `secret of ${statusName(code)}`));
    expect(failure.httpStatus).toBe(httpStatus);
    // What the gateway's own transport or a crash may have written is not shown.
    const isShown = httpStatus < 499;
    expect(failure.message.includes("secret")).toBe(isShown);
  });

  it("passes a service's violations on, in the one form", async () => {
    const answer = await failWith(invalidArgument({ field: "postId", description: "is odd" }));
    expect(answer.status).toBe(400);
    expect(answer.headers["content-type"]).toBe("application/json");
    expect(answer.json()).toEqual({
      code: 3,
      message: "postId: is odd",
      details: expect.arrayContaining([
        {
          "@type": "type.googleapis.com/google.rpc.BadRequest",
          fieldViolations: [{ field: "postId", description: "is odd" }],
        },
        {
          "@type": "type.googleapis.com/google.rpc.ErrorInfo",
          reason: "INVALID_ARGUMENT",
          domain: "chirrup",
        },
        { "@type": "type.googleapis.com/google.rpc.RequestInfo", requestId: answer.headers["x-request-id"] },
      ]),
    });
  });

  it("says when to try again", async () => {
    const limited = await failWith(resourceExhausted("slow down", 2_100));
    expect([limited.status, limited.headers["retry-after"]]).toEqual([429, "3"]);
    const away = await failWith(unavailable("10.0.0.7 is away", 4_000));
    expect([away.status, away.headers["retry-after"]]).toEqual([503, "4"]);
    expect(away.text).not.toContain("10.0.0.7");
  });

  it("shows nothing of what broke inside", async () => {
    const broken = new TypeError("cannot read secret of /srv/app.ts");
    const answer = await failWith(broken);
    expect(answer.status).toBe(500);
    expect(answer.json()).toEqual({
      code: 13,
      message: "internal error",
      details: [expect.objectContaining({ "@type": "type.googleapis.com/google.rpc.RequestInfo" })],
    });
  });

  it("leaves out details that are not for clients, and junk", async () => {
    const answer = await failWith(
      new GrpcError(Status.NOT_FOUND, "no such post", {
        details: [
          pack(DebugInfoSchema, { detail: "stack of /srv/app.ts" }),
          pack(ErrorInfoSchema, { reason: "POST_NOT_FOUND", domain: "chirrup" }),
          { typeUrl: `type.googleapis.com/${BadRequestSchema.typeName}`, value: new Uint8Array([255, 255]) },
          { typeUrl: "type.googleapis.com/unknown.Type", value: new Uint8Array([1]) },
          { typeUrl: `type.googleapis.com/${RetryInfoSchema.typeName}`, value: new Uint8Array() },
        ],
      }),
    );
    expect(answer.status).toBe(404);
    expect(answer.text).not.toContain("/srv");
    expect(
      answer.json().details.map((detail: Record<string, string>) => detail["@type"]?.split(".").at(-1)),
    ).toEqual(["ErrorInfo", "RetryInfo", "RequestInfo"]);
  });

  it("has the same form for what never reaches a service", async () => {
    const answers = await Promise.all([
      gateway.ask("GET", "/nowhere"),
      gateway.ask("DELETE", "/api/v1/feed", { token }),
      gateway.ask("GET", "/api/v1/me"),
      gateway.ask("GET", "/api/v1/posts/x", { token }),
      gateway.ask("GET", `/api/v1/posts/${"1".repeat(8_200)}`, { token }),
      gateway.ask("POST", "/api/v1/posts", { token, body: "x", headers: { "content-type": "text/plain" } }),
      gateway.ask("POST", "/api/v1/posts", { token, body: "x".repeat(1_048_577) }),
      gateway.ask("POST", "/api/v1/posts", { token, body: {}, headers: { "idempotency-key": "" } }),
      gateway.ask("POST", "/api/v1/posts", {
        token,
        body: {},
        headers: { "idempotency-key": "x".repeat(129) },
      }),
      gateway.ask("GET", "/api/v1/me", { headers: { expect: "the-unexpected" } }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([404, 405, 401, 400, 414, 415, 413, 400, 400, 417]);
    for (const { json, headers } of answers) {
      expect(json()).toMatchObject({
        code: expect.any(Number),
        message: expect.stringMatching(/./),
        details: expect.arrayContaining([
          { "@type": "type.googleapis.com/google.rpc.RequestInfo", requestId: headers["x-request-id"] },
        ]),
      });
      expect(headers["x-content-type-options"]).toBe("nosniff");
      expect(headers["cache-control"]).toBe("no-store");
    }
  });

  it.each([
    ["junk", "junk\r\n\r\n", 400],
    ["a URL beyond all headers", `GET /${"a".repeat(20_000)} HTTP/1.1\r\nhost: x\r\n\r\n`, 414],
    ["headers that are too large", `GET / HTTP/1.1\r\nhost: x\r\nx: ${"a".repeat(20_000)}\r\n\r\n`, 431],
    [
      "two lengths",
      "POST /api/v1/login HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx",
      400,
    ],
    [
      "length and chunks",
      "POST /api/v1/login HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
      400,
    ],
  ])("has the same form for %s", async (_, bytes, status) => {
    const text = await sendRaw(gateway.port, bytes);
    const [head = "", body = ""] = text.split("\r\n\r\n");
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(JSON.parse(body)).toMatchObject({ code: 3, details: expect.any(Array) });
  });

  it("ends a call at its deadline", async () => {
    const slow = await startGateway({ env: { DEADLINE_MS: "100" } });
    slow.services.getPost = (_, call) =>
      new Promise((resolve) => call.signal.addEventListener("abort", () => resolve({})));
    const token = await slow.issuer.token();
    const answer = await slow.ask("GET", "/api/v1/posts/1", { token });
    expect(answer.status).toBe(504);
    expect(answer.json().code).toBe(4);
    // A client may ask for less time than the route has, and not for more.
    const headers = { "request-timeout": "60" };
    expect((await slow.ask("GET", "/api/v1/posts/1", { token, headers })).status).toBe(504);
    await slow[Symbol.asyncDispose]();
  });

  it("answers 503 while a service is away", async () => {
    const lonely = await startGateway();
    await lonely.services.close();
    const answer = await lonely.ask("POST", "/api/v1/login", { body: { login: "a", password: "b" } });
    expect(answer.status).toBe(503);
    expect(answer.text).not.toMatch(/127\.0\.0\.1|ECONN/);
    await lonely[Symbol.asyncDispose]();
  });
});

describe("request id and trace", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway[Symbol.asyncDispose]());

  const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

  it("go through, and come back", async () => {
    const headers = { "x-request-id": "abc-1", traceparent: trace, "user-agent": `é${"u".repeat(300)}` };
    const answer = await gateway.ask("GET", "/api/v1/me", { token: await gateway.issuer.token(), headers });
    expect(answer.headers).toMatchObject({ "x-request-id": "abc-1", traceparent: trace });
    const { call } = gateway.services.seen.at(-1) ?? {};
    expect(call).toMatchObject({ requestId: "abc-1", traceparent: trace, clientAddress: "127.0.0.1" });
    expect(call?.userAgent).toMatch(/^\?+u+$/);
    expect(call?.userAgent).toHaveLength(200);
  });

  it.each(["", "a b", "a\tb", "x".repeat(65), "<script>", "${jndi:x}"])(
    "are made anew in place of %j",
    async (id) => {
      const headers = { "x-request-id": id, traceparent: `${trace}-more` };
      const answer = await gateway.ask("GET", "/nowhere", { headers });
      expect(answer.headers["x-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
      expect(answer.headers["traceparent"]).toMatch(/^00-(?!0af7)[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/);
    },
  );

  it.each([
    "00-00000000000000000000000000000000-b7ad6b7169203331-01",
    "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
    "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "00-0AF7651916CD43DD8448EB211C80319C-B7AD6B7169203331-01",
  ])("does not pass on the trace %s", async (traceparent) => {
    const answer = await gateway.ask("GET", "/nowhere", { headers: { traceparent } });
    expect(answer.headers["traceparent"]).not.toBe(traceparent);
  });
});
