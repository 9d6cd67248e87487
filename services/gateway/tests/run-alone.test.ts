import { execFile } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { promisify } from "node:util";
import { join } from "node:path";
import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { waitFor } from "@chirrup/testkit";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startAlone, type Alone } from "./alone.ts";
import { buildDescriptors, platformDescriptors } from "./descriptors.ts";
import { serveLibrary, type Library } from "./library.ts";

const local = new URL("../config/gateway.local.yaml", import.meta.url).pathname;
const cookie = "path: /, secure: false, sameSite: Lax, maxAgeSeconds: 600";
/** The platform's protos are in the set, and name cookies. */
const gatewayFile = `cookies: { access: { name: a, ${cookie} }, refresh: { name: r, ${cookie} } }`;

describe("chirrup-gateway run, whose files change", () => {
  let folder: string;
  let alone: Alone;
  let library: Library;
  let descriptors: ReturnType<typeof buildDescriptors>;
  /** The same, with another path for GetShelf. */
  let moved: Buffer;
  beforeAll(async () => {
    descriptors = buildDescriptors();
    const bytes = readFileSync(descriptors.path);
    library = await serveLibrary(createFileRegistry(fromBinary(FileDescriptorSetSchema, bytes)));
    // As long as the other: the length stands before the text.
    moved = Buffer.from(
      bytes.toString("latin1").replaceAll("/v1/shelves/{shelf_id}", "/v2/shelves/{shelf_id}"),
      "latin1",
    );
  });
  afterAll(async () => {
    await library.close();
    descriptors.remove();
  });

  /** Swaps a version of the files in as Kubernetes does with a ConfigMap: by a link that is replaced whole. */
  const publish = (version: number, set: Buffer, rates = "rules: []"): void => {
    const data = join(folder, `..${version}`);
    mkdirSync(data);
    writeFileSync(join(data, "set.binpb"), set);
    writeFileSync(join(data, "rates.yaml"), rates);
    writeFileSync(join(data, "gateway.yaml"), gatewayFile);
    symlinkSync(data, join(folder, "..data.new"));
    renameSync(join(folder, "..data.new"), join(folder, "..data"));
  };

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "gateway-run-"));
    publish(1, readFileSync(descriptors.path));
    for (const name of ["set.binpb", "rates.yaml", "gateway.yaml"])
      symlinkSync(join("..data", name), join(folder, name));
    alone = await startAlone({
      descriptors: join(folder, "set.binpb"),
      rates: join(folder, "rates.yaml"),
      gatewayFile: join(folder, "gateway.yaml"),
      issuer: undefined,
      upstreams: new Map(
        [
          "library.v1.Library",
          "everything.v1.Everything",
          ...["user", "post", "follow", "feed"].map(platform),
        ].map((name) => [`${name}Service`, library.address] as const),
      ),
      watchMs: 20,
    });
  });
  afterEach(async () => {
    await alone[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  const configuration = async (): Promise<{ version: string; refused?: string }> =>
    (await alone.askAdmin("GET", "/readyz")).json().configuration;

  it("takes them over between requests, and says which it serves", async () => {
    const before = await configuration();
    let asking = true;
    const statuses = new Set<number>();
    const client = (async () => {
      while (asking) statuses.add((await alone.ask("GET", "/v1/rooms/a/shelves/1")).status);
    })();
    publish(2, moved, "rules: [{ name: all, key: [ip], limit: 100000, window: 1h }]");
    await waitFor(async () => (await alone.ask("GET", "/v2/shelves/1")).status === 200);
    expect((await alone.ask("GET", "/v1/shelves/1")).status).toBe(404);
    expect((await alone.ask("GET", "/openapi.json")).text).toContain("/v2/shelves/{shelfId}");
    expect((await alone.ask("GET", "/v2/shelves/1")).headers["ratelimit-policy"]).toBe(
      '"all";q=100000;w=3600',
    );
    asking = false;
    await client;
    expect([...statuses]).toEqual([200]);
    const now = await configuration();
    expect(now.version).not.toBe(before.version);
    expect(now.refused).toBeUndefined();
  });

  it("refuses what cannot be served with the reason, and serves on", async () => {
    const { version } = await configuration();
    publish(2, Buffer.from("no descriptors"));
    await waitFor(async () => (await configuration()).refused);
    expect(await configuration()).toMatchObject({
      version,
      refused: expect.stringContaining("is not a complete descriptor set"),
    });
    expect((await alone.ask("GET", "/v1/shelves/1")).status).toBe(200);
    const metrics = (await alone.askAdmin("GET", "/metrics")).text;
    expect(metrics).toMatch(/^chirrup_gateway_reloads_total\{.*outcome="refused".*\} 1$/m);
    publish(3, moved);
    await waitFor(async () => (await configuration()).version !== version);
    expect((await configuration()).refused).toBeUndefined();
  });
});

describe("chirrup-gateway run, of what cannot be served", () => {
  const bin = new URL("../bin/chirrup-gateway.js", import.meta.url).pathname;
  const services = Object.fromEntries(
    ["USER", "POST", "FOLLOW", "FEED"].map((name) => [`${name}_SERVICE`, "a:1"]),
  );

  it.each([
    [
      "a variable that is not set",
      {},
      ["--gateway-file", local],
      /^chirrup-gateway: .*_SERVICE\} is not set/s,
      1,
    ],
    [
      "an address of no service",
      services,
      ["--gateway-file", local, "--upstream", "a.B=b:1"],
      /no service a\.B /,
      1,
    ],
    ["an address that is none", {}, ["--upstream", "a.B=nonsense"], /a\.B=nonsense is not /, 64],
  ])("says the reason in words: %s", async (_, variables, args, stderr, code) => {
    const all = ["run", "--public", "--descriptors", platformDescriptors, ...args];
    const failed = promisify(execFile)(bin, all, { env: { ...process.env, ...variables } });
    await expect(failed).rejects.toMatchObject({ code, stderr: expect.stringMatching(stderr), stdout: "" });
  });
});

function platform(name: string): string {
  return `chirrup.${name}.v1.${name[0]?.toUpperCase()}${name.slice(1)}`;
}
