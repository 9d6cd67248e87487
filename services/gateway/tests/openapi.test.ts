import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { createFileRegistry, fromBinary, type FileRegistry } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startAlone } from "./alone.ts";
import { buildDescriptors, platformDescriptors } from "./descriptors.ts";
import type { HttpClient } from "./http-client.ts";
import { startIssuer, tokenAudience, tokenIssuer } from "./issuer.ts";
import { serveLibrary, type Library } from "./library.ts";

const bin = new URL("../bin/chirrup-gateway.js", import.meta.url).pathname;
const redocly = new URL("../../../node_modules/.bin/redocly", import.meta.url).pathname;
const config = (name: string): string => new URL(`../config/${name}`, import.meta.url).pathname;

interface Operation {
  readonly operationId: string;
  readonly parameters: { readonly name: string; readonly in: string }[];
  readonly security?: unknown[];
  readonly requestBody?: { readonly content: Record<string, unknown> };
}

const services = ["user.v1.User", "post.v1.Post", "follow.v1.Follow", "feed.v1.Feed"];

describe("a gateway before any gRPC services", () => {
  let descriptors: ReturnType<typeof buildDescriptors>;
  let registry: FileRegistry;
  let library: Library;
  /** The platform's protos are in the set, and name cookies. */
  let cookies: string;
  const closers: (() => Promise<void> | void)[] = [];
  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), "gateway-alone-"));
    closers.push(() => rmSync(folder, { recursive: true, force: true }));
    cookies = join(folder, "gateway.yaml");
    const cookie = "path: /, secure: false, sameSite: Lax, maxAgeSeconds: 600";
    writeFileSync(
      cookies,
      `cookies: { access: { name: a, ${cookie} }, refresh: { name: r, ${cookie} } }
openapi: { title: Library, version: "1", license: Apache-2.0 }`,
    );
    descriptors = buildDescriptors();
    registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(descriptors.path)));
    library = await serveLibrary(registry);
  });
  afterAll(async () => {
    for (const close of closers.toReversed()) await close();
    await library.close();
    descriptors.remove();
  });

  /** Serves the library alone: the other services of the set are nowhere. */
  const run = async (jwks?: string): Promise<HttpClient> => {
    const alone = await startAlone({
      descriptors: descriptors.path,
      upstreams: new Map([
        ["library.v1.LibraryService", `dns:///${library.address}`],
        ["everything.v1.EverythingService", library.address],
        ...services.map((name) => [`chirrup.${name}Service`, "127.0.0.1:1"] as const),
      ]),
      issuer:
        jwks === undefined ? undefined : { jwks, issuer: tokenIssuer, audience: tokenAudience, type: "JWT" },
      gatewayFile: cookies,
    });
    closers.push(() => alone[Symbol.asyncDispose]());
    return alone.ask;
  };

  it("describes every route, and no more, in OpenAPI 3.1", async () => {
    const ask = await run();
    const { status, json } = await ask("GET", "/openapi.json");
    expect(status).toBe(200);
    const api = json() as {
      openapi: string;
      paths: Record<string, Record<string, Operation>>;
      components: { schemas: Record<string, unknown> };
    };
    expect(api.openapi).toBe("3.1.0");
    const operations = Object.values(api.paths).flatMap((path) => Object.values(path));
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
    expect(JSON.stringify(api)).not.toContain("Hidden");
    for (const [path, each] of Object.entries(api.paths)) {
      const named = [...path.matchAll(/\{([^}]+)\}/g)].map(([, name]) => name);
      for (const { parameters } of Object.values(each)) {
        expect(parameters.filter((one) => one.in === "path").map(({ name }) => name)).toEqual(named);
      }
    }
    const references = [...JSON.stringify(api).matchAll(/"#\/components\/schemas\/([^"]+)"/g)];
    for (const [, name = ""] of references) expect(api.components.schemas[name]).toBeDefined();
    expect(api.paths["/v1/shelves/{name.1}/books/{name.2}:burn"]?.["post"]).toBeDefined();
    expect(api.paths["/v1/covers/{bookId}"]?.["post"]?.requestBody?.content).toEqual({ "*/*": {} });
  });

  it("passes the rules of a linter", async () => {
    const ask = await run();
    const { text } = await ask("GET", "/openapi.json");
    const folder = mkdtempSync(join(tmpdir(), "gateway-openapi-"));
    closers.push(() => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(join(folder, "openapi.json"), text);
    const env = { ...process.env, REDOCLY_TELEMETRY: "off", REDOCLY_SUPPRESS_UPDATE_NOTICE: "true" };
    const lint = promisify(execFile)(redocly, ["lint", "openapi.json", "--max-problems=20"], {
      cwd: folder,
      env,
    });
    const { stderr, stdout } = await lint.catch((error: { stderr: string; stdout: string }) => error);
    expect(stdout).toBe("");
    expect(stderr).toContain("Your API description is valid");
  });

  it("has a page that runs nothing but its own script", async () => {
    const ask = await run();
    const { status, headers, text } = await ask("GET", "/docs");
    expect([status, headers["content-type"]]).toEqual([200, "text/html; charset=utf-8"]);
    expect(headers["content-security-policy"]).toMatch(/^default-src 'none'; script-src 'self'/);
    const links = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) => link ?? "");
    expect(links.length).toBeGreaterThan(1);
    for (const link of links) expect((await ask("GET", link)).status).toBe(200);
    expect((await ask("POST", "/docs")).status).toBe(405);
  });

  it("serves with no other file, to anybody or to an issuer's tokens", async () => {
    const open = await run();
    expect((await open("GET", "/api/v1/feed")).status).toBe(503);
    expect((await open("GET", "/v1/shelves/7")).json()).toMatchObject({ id: "7" });
    const issuer = await startIssuer();
    closers.push(() => issuer.close());
    const closed = await run(issuer.url);
    expect((await closed("GET", "/api/v1/feed")).status).toBe(401);
    expect((await closed("GET", "/api/v1/feed", { token: await issuer.token() })).status).toBe(503);
  });

  it("checks files without serving them", async () => {
    const files = ["--rates", config("rates.production.yaml"), "--descriptors", platformDescriptors];
    const env = {
      ...process.env,
      ...Object.fromEntries(["USER", "POST", "FOLLOW", "FEED"].map((name) => [`${name}_SERVICE`, "a:1"])),
    };
    const check = (...args: string[]) => promisify(execFile)(bin, ["check", ...args], { env });
    const { stdout } = await check("--gateway-file", config("gateway.local.yaml"), ...files);
    expect(stdout).toMatch(/^POST +\/api\/v1\/login +chirrup\.user\.v1\.UserService\/Login +public +5 +/m);
    const refused = check("--gateway-file", config("rates.local.yaml"), ...files);
    await expect(refused).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining("GATEWAY_CONFIG"),
    });
    await expect(check("--nope")).rejects.toMatchObject({ code: 64 });
  });
});
