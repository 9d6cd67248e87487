import { fromBinary, toJson, type FileRegistry } from "@bufbuild/protobuf";
import { waitFor } from "@chirrup/testkit";
import { get } from "node:http";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { holdPosts, type TestGateway } from "./gateway.ts";
import type { Answer } from "./http-client.ts";
import type { Library } from "./library.ts";
import { startLibraryGateway, type LibraryGateway } from "./library-gateway.ts";

const page = "https://page.example";

describe("streams, raw bodies and headers", () => {
  let gateway: TestGateway;
  let library: Library;
  let registry: FileRegistry;
  let started: LibraryGateway;
  beforeAll(async () => {
    started = await startLibraryGateway(
      `
origins: [${page}]
cors: { credentials: true }
metadata: { request: [x-tenant], response: [x-shelf-version] }
compressFromBytes: 500
`,
      { env: { MAX_IN_FLIGHT: "50" } },
    );
    ({ gateway, library, registry } = started);
  });
  afterAll(() => started[Symbol.asyncDispose]());

  const understood = (answer: Answer): unknown => {
    if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
    const { method, request } = answer.json() as { method: string; request: string };
    const rpc = registry.getService("library.v1.LibraryService")?.methods.find(({ name }) => name === method);
    if (rpc === undefined) throw new Error(`no method ${method}`);
    return toJson(rpc.input, fromBinary(rpc.input, Buffer.from(request, "base64")), { registry });
  };

  const lines = (text: string): unknown[] =>
    text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown);

  describe("a stream", () => {
    it("comes as one JSON object in each line", async () => {
      const { status, headers, text } = await gateway.ask("GET", "/v1/watch?count=2");
      expect([status, headers["content-type"]]).toEqual([200, "application/x-ndjson"]);
      expect(lines(text)).toEqual([
        { result: { id: "1", room: "", tags: [] } },
        { result: { id: "2", room: "", tags: [] } },
      ]);
    });

    it("comes as events for who asks for them", async () => {
      const { headers, text } = await gateway.ask("GET", "/v1/watch?count=1&code=5", {
        headers: { accept: "text/event-stream" },
      });
      expect(headers["content-type"]).toBe("text/event-stream");
      expect(text).toMatch(/^data: \{"id":"1".*\}\n\nevent: error\ndata: \{"code":5.*\}\n\n$/);
    });

    it("ends with its failure, and has its status when it fails before the first message", async () => {
      const midway = await gateway.ask("GET", "/v1/watch?count=1&code=9");
      expect(midway.status).toBe(200);
      expect(lines(midway.text)).toMatchObject([
        { result: {} },
        { error: { code: 9, message: "the shelf fell" } },
      ]);
      expect((await gateway.ask("GET", "/v1/watch?code=5")).status).toBe(404);
      expect((await gateway.ask("GET", "/v1/watch")).text).toBe("");
    });

    it("is cancelled when the client leaves", async () => {
      const request = get({ port: gateway.port, path: "/v1/watch?count=1&endless=true" });
      request.on("error", () => undefined);
      await waitFor(() => library.watching() === 1);
      request.destroy();
      await waitFor(() => library.watching() === 0, { what: "the service to see that the client left" });
      expect((await gateway.ask("GET", "/v1/shelves/1")).status).toBe(200);
    });

    it("ends at the deadline of the client", async () => {
      const { status, text } = await gateway.ask("GET", "/v1/watch?count=1&endless=true", {
        headers: { "request-timeout": "0.6" },
      });
      expect(status).toBe(200);
      expect(lines(text)).toMatchObject([{ result: {} }, { error: { code: 4 } }]);
      const early = await gateway.ask("GET", "/v1/watch?endless=true", {
        headers: { "grpc-timeout": "100m" },
      });
      expect(early.status).toBe(504);
    });

    it("is not begun for HEAD, nor for who takes neither form", async () => {
      expect((await gateway.ask("HEAD", "/v1/watch?endless=true")).status).toBe(200);
      const refused = await gateway.ask("GET", "/v1/watch", { headers: { accept: "text/html" } });
      expect([refused.status, refused.json().details[0].reason]).toEqual([406, "NOT_ACCEPTABLE"]);
    });

    it("of raw bodies is one body", async () => {
      const { headers, text } = await gateway.ask("GET", "/v1/download?count=3");
      expect([headers["content-type"], text]).toEqual(["text/csv", "line 1\nline 2\nline 3\n"]);
    });
  });

  describe("google.api.HttpBody", () => {
    it("takes a body of any type, beside what the path gives", async () => {
      const answer = await gateway.ask("POST", "/v1/covers/7", {
        body: Buffer.from([0, 255, 1]),
        headers: { "content-type": "image/png" },
      });
      expect(understood(answer)).toEqual({ bookId: "7", cover: { contentType: "image/png", data: "AP8B" } });
    });

    it("gives a body of any type, with the headers that keep browsers from running it", async () => {
      const { headers, text } = await gateway.ask("POST", "/v1/mirror", {
        body: "<script>",
        headers: { "content-type": "text/html; charset=utf-8", accept: "image/png" },
      });
      expect([headers["content-type"], text]).toEqual(["text/html; charset=utf-8", "<script>"]);
      expect(headers["content-security-policy"]).toContain("default-src 'none'");
    });
  });

  describe("PATCH", () => {
    it.each([
      ["/v1/editions/5", { title: "t", shelf_place: { room: "r" } }, "title,shelfPlace.room"],
      ["/v1/editions/5", { printedAt: "2026-01-01T00:00:00Z", shelfPlace: {} }, "printedAt,shelfPlace"],
      ["/v1/editions/5?update_mask=title", { title: "t", shelfPlace: {} }, "title"],
      ["/v1/whole-editions", { book: { title: null } }, "book.title"],
      ["/v1/whole-editions", { book: { title: "t" }, updateMask: "book.id" }, "book.id"],
      ["/v1/editions/5", { title: "t", nope: 1 }, "title"],
    ])("%s with %j changes %s", async (path, body, mask) => {
      expect(understood(await gateway.ask("PATCH", path, { body }))).toMatchObject({ updateMask: mask });
    });

    it("is refused a deadline that is none", async () => {
      for (const headers of [{ "grpc-timeout": "5" }, { "request-timeout": "soon" }]) {
        expect((await gateway.ask("GET", "/v1/shelves/1", { headers })).status).toBe(400);
      }
    });
  });

  describe("headers", () => {
    it("carry the listed metadata and no other, both ways", async () => {
      const { headers } = await gateway.ask("GET", "/v1/shelves/1", {
        headers: {
          "grpc-metadata-x-tenant": "blue",
          "grpc-metadata-x-other": "no",
          "grpc-metadata-chirrup-user-id": "1",
          "x-tenant": "red",
        },
      });
      expect(library.seen().get("x-tenant")).toBe("blue");
      expect([library.seen().has("x-other"), library.seen().has("chirrup-user-id")]).toEqual([false, false]);
      expect(headers["grpc-metadata-x-shelf-version"]).toBe("7");
      expect(Object.keys(headers).filter((name) => name.includes("private"))).toEqual([]);
      const stream = await gateway.ask("GET", "/v1/watch?count=1");
      expect(stream.headers["grpc-metadata-x-shelf-version"]).toBe("7");
    });

    it("ask for errors as RFC 9457 has them", async () => {
      const accept = "application/json, application/problem+json";
      const { status, headers, json } = await gateway.ask("GET", "/v1/shelves/x", { headers: { accept } });
      expect([status, headers["content-type"]]).toEqual([400, "application/problem+json"]);
      expect(json()).toMatchObject({ title: "INVALID_ARGUMENT", status: 400, code: 3 });
      expect((await gateway.ask("GET", "/v1/shelves/1", { headers: { accept: "text/html" } })).status).toBe(
        406,
      );
      expect(
        (await gateway.ask("GET", "/v1/shelves/1", { headers: { accept: "text/*, */*;q=0.1" } })).status,
      ).toBe(200);
    });

    it("let pages of listed origins read answers, and no others", async () => {
      const preflight = await gateway.ask("OPTIONS", "/v1/shelves/1", {
        headers: { origin: page, "access-control-request-method": "GET" },
      });
      expect(preflight.status).toBe(204);
      expect(preflight.headers).toMatchObject({
        "access-control-allow-origin": page,
        "access-control-allow-credentials": "true",
        "access-control-allow-methods": "GET, HEAD, PURGE",
        vary: expect.stringContaining("Origin"),
      });
      const read = await gateway.ask("GET", "/v1/shelves/x", { headers: { origin: page } });
      expect([read.status, read.headers["access-control-allow-origin"]]).toEqual([400, page]);
      for (const origin of ["https://other.example", "null", `${page}.evil.example`]) {
        const { headers } = await gateway.ask("GET", "/v1/shelves/1", { headers: { origin } });
        expect(headers["access-control-allow-origin"]).toBeUndefined();
        expect(headers["vary"]).toContain("Origin");
      }
    });

    it("ask for compression, which large answers get", async () => {
      const body = { text: "x".repeat(2_000) };
      const plain = await gateway.ask("POST", "/v1/search", { body });
      expect(plain.headers["content-encoding"]).toBeUndefined();
      const headers = { "accept-encoding": "br, gzip;q=0.5" };
      const chunks: Buffer[] = [];
      const answer = await fetch(`http://127.0.0.1:${gateway.port}/v1/search`, {
        method: "POST",
        body: JSON.stringify(body),
        headers: { ...headers, "content-type": "application/json" },
      });
      chunks.push(Buffer.from(await answer.arrayBuffer()));
      expect(answer.headers.get("content-encoding")).toBe("gzip");
      expect(Buffer.concat(chunks).toString()).toBe(plain.text);
      expect(Number(answer.headers.get("content-length"))).toBeLessThan(500);
      const small = await gateway.ask("GET", "/v1/shelves/1", { headers });
      expect(small.headers["content-encoding"]).toBeUndefined();
    });
  });

  describe("a call that got no answer", () => {
    afterEach(() => library.loseNext(0));

    it("is made again where a second run does no harm", async () => {
      for (const [method, path] of [
        ["GET", "/v1/shelves/1"],
        ["HEAD", "/v1/shelves/1"],
        ["PUT", "/v1/nothing"],
      ] as const) {
        library.loseNext(1);
        const before = library.calls();
        expect((await gateway.ask(method, path)).status).toBe(200);
        expect(library.calls() - before).toBe(2);
      }
    });

    it("is not made again where it may have been done, nor a third time", async () => {
      library.loseNext(1);
      expect((await gateway.ask("POST", "/v1/search", { body: {} })).status).toBe(503);
      library.loseNext(2);
      expect((await gateway.ask("GET", "/v1/shelves/1")).status).toBe(503);
    });

    it("is not made again when a service loses them all: at most a tenth more calls", async () => {
      const asked = 60;
      library.loseNext(1_000);
      const before = library.calls();
      for (let i = 0; i < asked; i += 1) {
        expect((await gateway.ask("GET", "/v1/shelves/1")).status).toBe(503);
      }
      expect(library.calls() - before).toBeLessThanOrEqual(asked * 1.1 + 10);
    });
  });

  it("turns requests away when too many are under way, and takes them again after", async () => {
    const token = await gateway.issuer.token();
    const posts = holdPosts(gateway);
    const held = Array.from({ length: 50 }, () => gateway.ask("GET", "/api/v1/posts/1", { token }));
    await waitFor(() => posts.asked() === 50);
    const shed = await gateway.ask("GET", "/v1/shelves/1");
    expect([shed.status, shed.headers["retry-after"], shed.json().details[0].reason]).toEqual([
      503,
      "1",
      "OVERLOADED",
    ]);
    posts.release();
    expect(new Set((await Promise.all(held)).map(({ status }) => status))).toEqual(new Set([200]));
    expect((await gateway.ask("GET", "/v1/shelves/1")).status).toBe(200);
  });
});
