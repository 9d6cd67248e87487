import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { startLibraryGateway, type LibraryGateway } from "./library-gateway.ts";

describe("a success that is not 200", () => {
  let started: LibraryGateway;
  beforeAll(async () => {
    started = await startLibraryGateway("openapi: { title: Library, version: '1' }");
  });
  afterAll(() => started[Symbol.asyncDispose]());

  afterEach(() => started.library.nameStatus(""));

  const create = () => started.gateway.ask("POST", "/v1/books", { body: { id: "7", title: "a b/c" } });

  it("is the status that the proto declares, with the path of what was made", async () => {
    const { status, headers, json } = await create();
    expect([status, headers.location]).toEqual([201, "/v1/books/a%20b%2Fc/7:read"]);
    expect(json()).toMatchObject({ book: { id: "7" } });
  });

  it("has no body where its status has none", async () => {
    const { status, headers, text } = await started.gateway.ask("DELETE", "/v1/books/7");
    expect([status, text, headers["content-type"], headers["content-length"]]).toEqual([
      204,
      "",
      undefined,
      undefined,
    ]);
  });

  it.each([
    ["202", 202],
    ["404", 404],
    ["599", 599],
    ["204", 204],
    ["101", 201],
    ["600", 201],
    ["20", 201],
    ["0x194", 201],
  ])("is what the service names, where the proto lets it: %s", async (named, status) => {
    started.library.nameStatus(named);
    const answer = await create();
    expect(answer.status).toBe(status);
    expect(answer.headers.location === undefined).toBe(status !== 201);
    expect(answer.text === "").toBe(status === 204);
  });

  it("is 200 where the proto does not let it, whatever the service names", async () => {
    started.library.nameStatus("202");
    expect((await started.gateway.ask("GET", "/v1/shelves/1")).status).toBe(200);
    expect((await started.gateway.ask("DELETE", "/v1/books/7")).status).toBe(204);
  });

  it("is described by OpenAPI", async () => {
    const { paths } = (await started.gateway.ask("GET", "/openapi.json")).json();
    const { responses } = paths["/v1/books"].post;
    expect(Object.keys(responses)).toEqual(expect.arrayContaining(["201", "2XX"]));
    expect(responses["200"]).toBeUndefined();
    expect(responses["201"].headers.Location).toBeDefined();
    const deleted = paths["/v1/books/{book.id}"].delete.responses["204"];
    expect([deleted.description, deleted.content]).toEqual(["Success.", undefined]);
  });
});
