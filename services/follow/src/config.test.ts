import { readFileSync } from "node:fs";
import { ConfigError, parseConfig, settingsTable } from "@chirrup/platform";
import { describe, expect, it } from "vitest";
import { configSchema, thresholdsOf } from "./config.ts";

const env = {
  GRPC_PORT: "5002",
  HTTP_PORT: "5102",
  PEER_SECRET: "p".repeat(32),
  DATABASE_URL: "postgres://follow@127.0.0.1/follow",
  EVENT_LOG_URL: "redis://127.0.0.1:6379",
  USER_SERVICE: "127.0.0.1:5001",
  CURSOR_SECRET: "c".repeat(32),
};

describe("settings", () => {
  it("derive the lower threshold unless it is given", () => {
    expect(thresholdsOf(parseConfig(configSchema, env))).toEqual({ up: 10_000, down: 9_000 });
    const both = { ...env, CELEBRITY_THRESHOLD: "50", CELEBRITY_DOWN_THRESHOLD: "20" };
    expect(thresholdsOf(parseConfig(configSchema, both))).toEqual({ up: 50, down: 20 });
  });

  it("refuse a lower threshold above the upper one", () => {
    const crossed = { ...env, CELEBRITY_THRESHOLD: "50", CELEBRITY_DOWN_THRESHOLD: "51" };
    expect(() => parseConfig(configSchema, crossed)).toThrow(ConfigError);
  });

  it("are in the README as the schema has them", () => {
    const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
    // The formatter aligns the columns.
    const cells = (table: string) => table.replaceAll(/-+/g, "-").replaceAll(/ *\| */g, "|");
    expect(cells(readme)).toContain(cells(settingsTable(configSchema)));
  });
});
