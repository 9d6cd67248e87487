import { fromBinary, toJson, type FileRegistry, type JsonObject } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TestGateway } from "./gateway.ts";
import type { Answer, Ask } from "./http-client.ts";
import { startLibraryGateway, type LibraryGateway } from "./library-gateway.ts";

describe("HTTP to gRPC and back", () => {
  let gateway: TestGateway;
  let registry: FileRegistry;
  let started: LibraryGateway;
  beforeAll(async () => {
    started = await startLibraryGateway();
    ({ gateway, registry } = started);
  });
  afterAll(() => started[Symbol.asyncDispose]());

  /** What the service understood, in JSON without defaults. */
  const understood = async (
    method: string,
    path: string,
    ask?: Ask,
  ): Promise<{ method: string; request: unknown }> => {
    const answer = await gateway.ask(method, path, ask);
    if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
    const echo = answer.json() as { method: string; request: string };
    const rpc = registry
      .getService("library.v1.LibraryService")
      ?.methods.find(({ name }) => name === echo.method);
    if (rpc === undefined) throw new Error(`no method ${echo.method}`);
    const message = fromBinary(rpc.input, Buffer.from(echo.request, "base64"));
    return { method: echo.method, request: toJson(rpc.input, message, { registry }) };
  };

  const violations = async (answer: Promise<Answer>): Promise<Record<string, string>> => {
    const { status, json, text } = await answer;
    if (status !== 400) throw new Error(`${status} ${text}`);
    const detail = (json() as { details: JsonObject[] }).details.find(
      ({ fieldViolations }) => fieldViolations,
    );
    const list = (detail?.["fieldViolations"] ?? []) as { field: string; description: string }[];
    return Object.fromEntries(list.map(({ field, description }) => [field, description]));
  };

  describe("paths", () => {
    it("binds a field, and answers with defaults and string ids", async () => {
      const { status, json } = await gateway.ask("GET", "/v1/shelves/9007199254740993");
      expect(status).toBe(200);
      expect(json()).toEqual({ id: "9007199254740993", room: "", tags: [] });
    });

    it("serves additional bindings", async () => {
      const { json } = await gateway.ask("GET", "/v1/rooms/a%20b%2Fc/shelves/7");
      expect(json()).toEqual({ id: "7", room: "a b/c", tags: [] });
    });

    it("binds several segments, and keeps an encoded slash apart from a real one", async () => {
      expect(await understood("GET", "/v1/files/a/b%2Fc%20d")).toEqual({
        method: "GetFile",
        request: { name: "files/a/b%2Fc d" },
      });
      expect((await understood("GET", "/v1/files")).request).toEqual({ name: "files" });
    });

    it("tells a verb from a value", async () => {
      expect((await understood("GET", "/v1/shelves/a/books/b:burn")).request).toEqual({
        name: "shelves/a/books/b:burn",
      });
      expect(await understood("POST", "/v1/shelves/a/books/b:burn", { body: { reason: "cold" } })).toEqual({
        method: "BurnBook",
        request: { name: "shelves/a/books/b", reason: "cold" },
      });
      expect((await gateway.ask("POST", "/v1/shelves/a/books/b%3Aburn")).status).toBe(405);
    });

    it("serves custom methods", async () => {
      expect(await understood("PURGE", "/v1/shelves/3")).toEqual({
        method: "Purge",
        request: { shelfId: "3" },
      });
    });

    it.each([
      "abc",
      "1.5",
      "0x10",
      "%201",
      "1e3",
      "9223372036854775808",
      "-9223372036854775809",
      "01",
      "+1",
      "1%00",
    ])("refuses %s for an id", async (id) => {
      const faults = await violations(gateway.ask("GET", `/v1/shelves/${id}`));
      expect(Object.keys(faults)).toEqual(["shelfId"]);
    });

    it.each([
      "/v1/shelves/",
      "/v1/shelves/1/",
      "//v1/shelves/1",
      "/v1//shelves/1",
      "/V1/shelves/1",
      "/v1/shelves",
    ])("finds nothing at %s", async (path) => expect((await gateway.ask("GET", path)).status).toBe(404));

    it("does not reach a method without a rule by any path", async () => {
      for (const path of ["/library.v1.LibraryService/Hidden", "/v1/hidden"]) {
        expect((await gateway.ask("POST", path, { body: {} })).status).toBe(404);
      }
    });

    it("refuses a broken escape", async () => {
      expect(Object.keys(await violations(gateway.ask("GET", "/v1/shelves/%ff")))).toEqual(["path"]);
      expect(Object.keys(await violations(gateway.ask("GET", "/v1/shelves/%zz")))).toEqual(["path"]);
    });
  });

  describe("queries", () => {
    it("binds every kind of field, by either name", async () => {
      const query = [
        "text=a+b%26c",
        "ids=1&ids=-2",
        "genres=GENRE_NOVEL&genres=2",
        "pages.from=3",
        "pages.to=4",
        "deep=true",
        "limit=4294967295",
        "weight=1.5e3",
        "ratio=-0.5",
        "token=AQI",
        "after=2026-01-02T03:04:05Z",
        "by_rank=9",
        "hint=",
        "inner.inner.text=deep",
        "delta=-7",
        "big=18446744073709551615",
      ].join("&");
      expect((await understood("GET", `/v1/search?${query}`)).request).toEqual({
        text: "a b&c",
        ids: ["1", "-2"],
        genres: ["GENRE_NOVEL", "GENRE_POEM"],
        pages: { from: "3", to: "4" },
        deep: true,
        limit: 4294967295,
        weight: 1500,
        ratio: -0.5,
        token: "AQI=",
        after: "2026-01-02T03:04:05Z",
        byRank: 9,
        hint: "",
        inner: { inner: { text: "deep" } },
        delta: -7,
        big: "18446744073709551615",
      });
      expect((await understood("GET", "/v1/search?by_rank=1")).request).toEqual(
        (await understood("GET", "/v1/search?byRank=1")).request,
      );
    });

    it.each([
      ["nope=1", "nope"],
      ["pages.nope=1", "pages.nope"],
      ["text.x=1", "text.x"],
      ["=1", ""],
      ["text=1&text=2", "text"],
      ["deep=yes", "deep"],
      ["deep=", "deep"],
      ["limit=-1", "limit"],
      ["limit=1.0", "limit"],
      ["ids=1&ids=x", "ids"],
      ["ids=1,2", "ids"],
      ["genre=GENRE_PLAY", "genre"],
      ["ratio=1e39", "ratio"],
      ["weight=1e999", "weight"],
      ["weight=0x1", "weight"],
      ["token=*", "token"],
      ["after=yesterday", "after"],
      ["counts=1", "counts"],
      ["ranges=1", "ranges"],
      ["ranges.from=1", "ranges.from"],
      ["pages=1", "pages"],
      ["by_name=a&by_rank=1", "byRank"],
      ["text=%ff", "query"],
      ["text=%", "query"],
      ["__proto__=1", "__proto__"],
      ["constructor.prototype=1", "constructor.prototype"],
    ])("refuses %s", async (query, field) => {
      expect(Object.keys(await violations(gateway.ask("GET", `/v1/search?${query}`)))).toEqual([field]);
    });

    it("tells of every fault at once", async () => {
      const faults = await violations(gateway.ask("GET", "/v1/search?nope=1&deep=2&limit=x"));
      expect(Object.keys(faults)).toEqual(["nope", "deep", "limit"]);
    });

    it("does not take from the query what the path or the body gives", async () => {
      expect(Object.keys(await violations(gateway.ask("GET", "/v1/shelves/1?shelf_id=2")))).toEqual([
        "shelfId",
      ]);
      expect(Object.keys(await violations(gateway.ask("POST", "/v1/search?text=a", { body: {} })))).toEqual([
        "text",
      ]);
      const twice = gateway.ask("PATCH", "/v1/books/1?book.title=a", { body: {} });
      expect(Object.keys(await violations(twice))).toEqual(["book.title"]);
    });
  });

  describe("bodies", () => {
    it("binds one field of the request, and answers with one field of the response", async () => {
      const { status, json } = await gateway.ask("PATCH", "/v1/books/5?dry_run=true", {
        body: { title: "t", genre: "GENRE_POEM" },
      });
      expect(status).toBe(200);
      expect(json()).toEqual({ id: "5", title: "t", genre: "GENRE_POEM" });
    });

    it("takes the path's value when the body is silent or agrees, and refuses another", async () => {
      expect((await gateway.ask("PATCH", "/v1/books/5", { body: { id: "5", title: "t" } })).status).toBe(200);
      expect(await violations(gateway.ask("PATCH", "/v1/books/5", { body: { id: "6" } }))).toEqual({
        "book.id": "differs from the path",
      });
    });

    it("takes an empty body for an empty object", async () => {
      expect((await understood("POST", "/v1/search")).request).toEqual({});
      expect((await understood("POST", "/v1/search", { body: "" })).request).toEqual({});
      expect((await understood("POST", "/v1/search", { body: "{}" })).request).toEqual({});
    });

    it("reads the proto3 JSON mapping", async () => {
      const body = {
        text: "é\u0000😀",
        ids: ["1", 2],
        pages: { from: 3 },
        by_name: "n",
        counts: { a: 1, __proto__x: 2 },
        ranges: [{ from: "1" }, { to: "2" }],
        extra: { a: [1, { b: null }] },
        wrapped: "w",
        any: { "@type": "type.googleapis.com/library.v1.Book", title: "x" },
        hint: null,
      };
      expect((await understood("POST", "/v1/search", { body })).request).toEqual({
        text: "é\u0000😀",
        ids: ["1", "2"],
        pages: { from: "3" },
        byName: "n",
        counts: { a: 1, __proto__x: 2 },
        ranges: [{ from: "1" }, { to: "2" }],
        extra: { a: [1, { b: null }] },
        wrapped: "w",
        any: { "@type": "type.googleapis.com/library.v1.Book", title: "x" },
      });
    });

    it("takes 64-bit integers as numbers, exactly", async () => {
      const body =
        '{"ids":[9007199254740993,-9223372036854775808,1],"big":18446744073709551615,"weight":1e16}';
      expect((await understood("POST", "/v1/search", { body })).request).toEqual({
        ids: ["9007199254740993", "-9223372036854775808", "1"],
        big: "18446744073709551615",
        weight: 1e16,
      });
      const doubles =
        '{"weight":9007199254740993,"extra":{"a":[9007199254740993,{"b":12345678901234567890123}]}}';
      expect((await understood("POST", "/v1/search", { body: doubles })).request).toEqual({
        weight: 9007199254740992,
        extra: { a: [9007199254740992, { b: 1.2345678901234568e22 }] },
      });
    });

    it.each<[unknown, string]>([
      ["null", "body"],
      ["[]", "body"],
      ['"text"', "body"],
      ["1", "body"],
      ["{", "body"],
      ["{} {}", "body"],
      ["\ufeff{}", "body"],
      [Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), "body"],
      ['{"text":"a","text":"b"}', "body"],
      ['{"text":"a","\\u0074ext":"b"}', "body"],
      [{ nope: 1 }, "nope"],
      [{ pages: { nope: 1 } }, "pages.nope"],
      [{ ranges: [{}, { from: "x" }] }, "ranges[1].from"],
      [{ text: 1 }, "text"],
      [{ text: "\ud800" }, "text"],
      [{ deep: "true" }, "deep"],
      [{ deep: 1 }, "deep"],
      [{ ids: "1" }, "ids"],
      [{ ids: [null] }, "ids[0]"],
      [{ ids: ["0x10"] }, "ids[0]"],
      [{ ids: [" 1"] }, "ids[0]"],
      ['{"ids":[9223372036854775808]}', "ids[0]"],
      ['{"ids":[9007199254740993.5]}', "ids[0]"],
      ['{"limit":9007199254740993}', "limit"],
      ['{"text":9007199254740993}', "text"],
      [{ limit: 1.5 }, "limit"],
      [{ limit: 4294967296 }, "limit"],
      [{ limit: "-1" }, "limit"],
      [{ genre: "GENRE_PLAY" }, "genre"],
      [{ genre: 1.5 }, "genre"],
      [{ weight: "heavy" }, "weight"],
      [{ ratio: 1e39 }, "ratio"],
      [{ token: "a" }, "token"],
      [{ after: "yesterday" }, "after"],
      [{ pages: [] }, "pages"],
      [{ counts: { a: "x" } }, 'counts["a"]'],
      [{ counts: [] }, "counts"],
      [{ byName: "a", byRank: 1 }, "byRank"],
      [{ by_name: "a", byName: "b" }, "byName"],
      [{ any: { "@type": "type.googleapis.com/nope.Nope" } }, "any"],
      ['{"__proto__":{"text":"x"}}', "__proto__"],
      [`{"inner":${'{"inner":'.repeat(40)}{}${"}".repeat(40)}}`, "body"],
      [`{"text":${"[".repeat(200_000)}${"]".repeat(200_000)}}`, "body"],
    ])("refuses %j", async (body, field) => {
      const answer = gateway.ask("POST", "/v1/search", { body });
      expect(Object.keys(await violations(answer))).toEqual([field]);
      expect((await answer).text).not.toMatch(/cannot decode|at .*\.[jt]s|protobuf|undefined/);
    });

    it("refuses a body on a route that has none, but for an empty object", async () => {
      expect((await gateway.ask("GET", "/v1/shelves/1", { body: {} })).status).toBe(200);
      expect(Object.keys(await violations(gateway.ask("GET", "/v1/shelves/1", { body: { a: 1 } })))).toEqual([
        "a",
      ]);
      expect(Object.keys(await violations(gateway.ask("GET", "/v1/shelves/1", { body: "null" })))).toEqual([
        "body",
      ]);
    });

    it.each([
      ["text/plain", 415],
      ["application/x-www-form-urlencoded", 415],
      ["multipart/form-data; boundary=x", 415],
      ["application/jsonp", 415],
      ["application/json; charset=latin1", 415],
      ["", 415],
      ["application/json", 200],
      ["Application/JSON; charset=UTF-8", 200],
      ['application/json;charset="utf-8"', 200],
    ])("answers the type %s with %i", async (type, status) => {
      const answer = await gateway.ask("POST", "/v1/search", { body: {}, headers: { "content-type": type } });
      expect(answer.status).toBe(status);
    });

    it("refuses a compressed body", async () => {
      const headers = { "content-encoding": "gzip" };
      expect((await gateway.ask("POST", "/v1/search", { body: {}, headers })).status).toBe(415);
    });

    it("limits the size, declared or not", async () => {
      const body = JSON.stringify({ text: "x".repeat(1_048_576) });
      expect((await gateway.ask("POST", "/v1/search", { body })).status).toBe(413);
      const chunked = { "transfer-encoding": "chunked", "content-length": [] };
      expect((await gateway.ask("POST", "/v1/search", { body, headers: chunked })).status).toBe(413);
      const largest = JSON.stringify({ text: "x".repeat(1_048_576 - 11) });
      expect(Buffer.byteLength(largest)).toBe(1_048_576);
      expect((await gateway.ask("POST", "/v1/search", { body: largest })).status).toBe(200);
    });
  });

  describe("methods", () => {
    it("answers HEAD as GET, without the body", async () => {
      const get = await gateway.ask("GET", "/v1/shelves/1");
      const head = await gateway.ask("HEAD", "/v1/shelves/1");
      expect(head.status).toBe(200);
      expect(head.text).toBe("");
      expect(head.headers["content-length"]).toBe(get.headers["content-length"]);
    });

    it("answers OPTIONS and 405 with what is allowed", async () => {
      const options = await gateway.ask("OPTIONS", "/v1/shelves/1");
      expect(options.status).toBe(204);
      expect(options.headers.allow).toBe("GET, HEAD, PURGE, OPTIONS");
      const refused = await gateway.ask("DELETE", "/v1/shelves/1");
      expect(refused.status).toBe(405);
      expect(refused.headers.allow).toBe("GET, HEAD, PURGE, OPTIONS");
      expect(refused.json().code).toBe(12);
    });
  });
});
