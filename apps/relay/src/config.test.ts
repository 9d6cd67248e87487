import { readFileSync } from "node:fs";
import { ConfigError, parseConfig, settingsTable } from "@chirrup/platform";
import { describe, expect, it } from "vitest";
import { configSchema } from "./config.ts";

const valid = {
  HTTP_PORT: "0",
  EVENT_LOG_URL: "redis://127.0.0.1:6380",
  SOURCES: "user=postgres://relay:secret@db:5432/user, post=postgresql://relay:secret@db/post",
};

describe("settings", () => {
  it("reads the sources by name", () => {
    expect([...parseConfig(configSchema, valid).SOURCES]).toEqual([
      ["user", "postgres://relay:secret@db:5432/user"],
      ["post", "postgresql://relay:secret@db/post"],
    ]);
  });

  it.each([
    "",
    "user",
    "user=http://db",
    "User=postgres://db/x",
    "a=postgres://db/a,a=postgres://db/b",
    "a=postgres://db/a,",
  ])("refuses the sources %j, without a word of what they are", (SOURCES) => {
    const parse = (): unknown => parseConfig(configSchema, { ...valid, SOURCES });
    expect(parse).toThrow(ConfigError);
    expect(parse).toThrow(/SOURCES/);
    expect(parse).not.toThrow(/db/);
  });

  it("are those of the README", () => {
    // The formatter aligns the columns.
    const cells = (table: string): string => table.replaceAll(/-+/g, "-").replaceAll(/ *\| */g, "|");
    const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
    expect(cells(readme)).toContain(cells(settingsTable(configSchema)));
  });
});
