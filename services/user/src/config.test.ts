import { readFileSync } from "node:fs";
import { ConfigError, parseConfig, settingsTable } from "@chirrup/platform";
import { describe, expect, it } from "vitest";
import { configSchema } from "./config.ts";

const secret = "s".repeat(32);
const least = {
  GRPC_PORT: "5001",
  HTTP_PORT: "5002",
  PEER_SECRET: secret,
  DATABASE_URL: "postgres://user:pass@127.0.0.1:5432/user",
  SIGNING_KEY_SECRET: secret,
  REFRESH_SECRET: secret,
  CURSOR_SECRET: secret,
  TOKEN_ISSUER: "https://chirrup.example",
  TOKEN_AUDIENCE: "chirrup",
};

function faultsOf(env: Record<string, string>): string[] {
  try {
    parseConfig(configSchema, env);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.faults.map(({ name }) => name);
  }
}

describe("the settings", () => {
  it("are complete with what has no default", () => {
    expect(parseConfig(configSchema, least)).toMatchObject({
      ACCESS_TOKEN_TTL_S: 600,
      REFRESH_GRACE_MS: 10_000,
      PASSWORD_HASH_MEMORY_KIB: 19_456,
      PASSWORD_HASH_PASSES: 2,
    });
  });

  it("name all faults at once", () => {
    const { SIGNING_KEY_SECRET: _, ...others } = least;
    const env = { ...others, REFRESH_SECRET: "short", PASSWORD_HASH_CONCURRENCY: "4" };
    expect(faultsOf(env).toSorted()).toEqual([
      "PASSWORD_HASH_CONCURRENCY",
      "REFRESH_SECRET",
      "SIGNING_KEY_SECRET",
    ]);
  });

  it("refuse a hash that is weaker than OWASP's least", () => {
    expect(faultsOf({ ...least, PASSWORD_HASH_PASSES: "1" })).toEqual(["PASSWORD_HASH_MEMORY_KIB"]);
    expect(faultsOf({ ...least, PASSWORD_HASH_MEMORY_KIB: "7168", PASSWORD_HASH_PASSES: "5" })).toEqual([]);
  });

  it("are those that the README lists", () => {
    // Without the widths of the columns, which the formatter chooses.
    const rows = (text: string) =>
      text.replaceAll(/ +/g, " ").replaceAll(/-+/g, "-").replaceAll("| - ", "|-");
    const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
    for (const row of rows(settingsTable(configSchema)).split("\n").slice(2)) {
      expect(rows(readme)).toContain(row);
    }
  });
});
