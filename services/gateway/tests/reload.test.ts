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
import { join } from "node:path";
import { waitFor } from "@chirrup/testkit";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { buildDescriptors } from "./descriptors.ts";
import { platformDescriptors } from "./descriptors.ts";
import { startGateway, type TestGateway } from "./gateway.ts";

const local = readFileSync(new URL("../config/gateway.local.yaml", import.meta.url), "utf8");
const rates = (limit: number): string => `rules: [{ name: address, key: [ip], limit: ${limit}, window: 1h }]`;

describe("files that change under a running gateway", () => {
  let folder: string;
  let gateway: TestGateway;
  let library: { path: string; remove(): void };
  beforeAll(() => {
    library = buildDescriptors();
  });
  afterAll(() => library.remove());
  afterEach(async () => {
    await gateway[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Writes a version of the files, and swaps it in as Kubernetes does: by a link that is replaced whole. */
  const publish = (
    version: string,
    files: { rates: string; descriptors?: string; gateway?: string },
  ): void => {
    const data = join(folder, `..${version}`);
    mkdirSync(data);
    writeFileSync(join(data, "rates.yaml"), files.rates);
    writeFileSync(join(data, "gateway.yaml"), files.gateway ?? local);
    writeFileSync(join(data, "set.binpb"), readFileSync(files.descriptors ?? platformDescriptors));
    symlinkSync(data, join(folder, "..data.new"));
    renameSync(join(folder, "..data.new"), join(folder, "..data"));
  };

  const begin = async (watchMs: string): Promise<void> => {
    folder = mkdtempSync(join(tmpdir(), "gateway-reload-"));
    publish("1", { rates: rates(1000) });
    for (const name of ["rates.yaml", "gateway.yaml", "set.binpb"]) {
      symlinkSync(join("..data", name), join(folder, name));
    }
    gateway = await startGateway({
      env: {
        RATE_RULES: join(folder, "rates.yaml"),
        GATEWAY_CONFIG: join(folder, "gateway.yaml"),
        DESCRIPTORS: join(folder, "set.binpb"),
        WATCH_MS: watchMs,
      },
    });
  };

  const policy = async (): Promise<unknown> =>
    (await gateway.ask("GET", "/nowhere")).headers["ratelimit-policy"];
  const status = async (): Promise<{ version: string; refused?: string }> => {
    const answer = await fetch(`http://127.0.0.1:${gateway.adminPort}/readyz`);
    return ((await answer.json()) as { configuration: { version: string; refused?: string } }).configuration;
  };

  it("are taken over without a request that fails", async () => {
    await begin("20");
    const { version } = await status();
    let asking = true;
    const token = await gateway.issuer.token();
    const statuses = new Set<number>();
    const clients = Array.from({ length: 4 }, async () => {
      while (asking) statuses.add((await gateway.ask("GET", "/api/v1/me", { token })).status);
    });
    publish("2", { rates: rates(100_000) });
    await waitFor(async () => (await policy()) === '"address";q=100000;w=3600');
    expect((await status()).version).not.toBe(version);
    const served = (await gateway.metrics.registry.metrics()).match(/configuration_info\{.*\} 1/g);
    expect(served).toHaveLength(1);
    expect(served?.[0]).toContain((await status()).version);
    asking = false;
    await Promise.all(clients);
    expect([...statuses]).toEqual([200]);
  });

  it("bring new routes, and take those away that are gone", async () => {
    await begin("20");
    expect((await gateway.ask("GET", "/v1/shelves/1")).status).toBe(404);
    const upstream = local.replace(
      "upstreams:",
      "upstreams:\n  library.v1.LibraryService: 127.0.0.1:1\n  everything.v1.EverythingService: 127.0.0.1:1",
    );
    publish("2", { rates: rates(1000), descriptors: library.path, gateway: upstream });
    await waitFor(async () => (await gateway.ask("GET", "/v1/shelves/1")).status === 503);
    publish("3", { rates: rates(1000) });
    await waitFor(async () => (await gateway.ask("GET", "/v1/shelves/1")).status === 404);
  });

  it.each([
    ["rules that are none", { rates: "rules: [{}]" }, /RATE_RULES/],
    ["a gateway file that is none", { rates: rates(5), gateway: "upstreams: 1" }, /GATEWAY_CONFIG/],
    [
      "a service without an address",
      { rates: rates(5), gateway: local.replace(/.*PostService.*/, "") },
      /PostService/,
    ],
    [
      "descriptors that are none",
      { rates: rates(5), descriptors: new URL(import.meta.url).pathname },
      /DESCRIPTORS/,
    ],
  ])("are refused with the reason: %s", async (_, files, reason) => {
    await begin("20");
    const before = await status();
    publish("2", files);
    await waitFor(async () => (await status()).refused !== undefined);
    const now = await status();
    expect(now.refused).toMatch(reason);
    expect(now.version).toBe(before.version);
    expect(await policy()).toBe('"address";q=1000;w=3600');
    publish("3", { rates: rates(2000) });
    await waitFor(async () => (await policy()) === '"address";q=2000;w=3600');
    expect((await status()).refused).toBeUndefined();
  });

  it("are read at once on SIGHUP", async () => {
    await begin("600000");
    publish("2", { rates: rates(2000) });
    process.emit("SIGHUP");
    await waitFor(async () => (await policy()) === '"address";q=2000;w=3600');
    expect((await status()).refused).toBeUndefined();
  });
});
