import { describe, expect, it } from "vitest";
import { z } from "zod";

import { commonSettings } from "./common-settings.ts";
import { ConfigError, parseConfig } from "./parse-config.ts";
import { setting } from "./setting.ts";
import { settingsTable } from "./settings-table.ts";

const secret = "s".repeat(32);
const required = { GRPC_PORT: "5001", HTTP_PORT: "0", PEER_SECRET: secret };

function faultsOf(schema: z.ZodObject, env: Record<string, string>): string[] {
  try {
    parseConfig(schema, env);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.faults.map(({ name, fault }) => `${name} ${fault}`);
  }
}

describe("parseConfig", () => {
  it("reads what is set and fills in the defaults", () => {
    expect(
      parseConfig(z.object(commonSettings), { ...required, LOG_LEVEL: "debug", ELSE: "ignored" }),
    ).toEqual({
      HOST: "127.0.0.1",
      GRPC_PORT: 5001,
      HTTP_PORT: 0,
      PEER_SECRET: secret,
      LOG_LEVEL: "debug",
      LOG_FORMAT: "json",
      SHUTDOWN_GRACE_MS: 10_000,
    });
  });

  it("takes an empty variable for one that is not set", () => {
    const schema = z.object({ A: setting.text().default("a"), B: setting.text() });
    expect(faultsOf(schema, { A: "", B: "" })).toEqual(["B is required"]);
    expect(parseConfig(schema, { A: "", B: "b" })).toEqual({ A: "a", B: "b" });
  });

  it("lists every fault by name and tells no value", () => {
    const env = { GRPC_PORT: "70000", PEER_SECRET: "hunter2", LOG_LEVEL: "loud", SHUTDOWN_GRACE_MS: "-1s" };
    const faults = faultsOf(z.object(commonSettings), env);
    expect(faults.map((fault) => fault.replace(/ .*/, "")).toSorted()).toEqual([
      "GRPC_PORT",
      "HTTP_PORT",
      "LOG_LEVEL",
      "PEER_SECRET",
      "SHUTDOWN_GRACE_MS",
    ]);
    for (const value of Object.values(env)) expect(faults.join()).not.toContain(value);
  });
});

describe("setting", () => {
  it.each([
    [setting.port(), ["0", "65535"], ["65536", "-1", "1e3", " 1", "0x10", "x"]],
    [setting.positiveInt(), ["1", "10000"], ["0", "1.5", "9007199254740993"]],
    [setting.durationMs(), ["0", "2147483647"], ["2147483648", "10s"]],
    [setting.url(), ["http://a/b", "redis://:p@h:1/0"], ["a", "/b"]],
    [setting.url("redis", "rediss"), ["redis://h", "rediss://h"], ["http://h", "redis"]],
    [
      setting.redis(),
      ["redis://a:1", "rediss://u:p@a/2", "redis-cluster://:p@a:1,b:2", "rediss-cluster://a"],
      ["http://a", "redis://a:1,b:2", "redis-cluster://a:1/2", "redis://"],
    ],
    [setting.secret(), [secret], ["s".repeat(31)]],
    [
      setting.address(),
      ["127.0.0.1:1", "[::1]:50", "dns:///post:5001"],
      ["host", "host:0", "host:65536", "::1:5", "http://a:1"],
    ],
    [
      setting.eventLog(),
      ["redis://a:1", "rediss://:p@a:1/2", "kafka://a:9092", "kafkas://u:p@a:1,b-2.c:2"],
      ["a:9092", "kafka://", "kafka://a", "kafka://a:1,", "kafka://u@a:1", "http://a:1"],
    ],
    [setting.boolean(), ["true", "0"], ["yes", "TRUE"]],
    [setting.logLevel(), ["info", "silent"], ["INFO"]],
  ])("%# takes the good and refuses the bad", (schema: z.ZodType, good: string[], bad: string[]) => {
    const taken = [...good, ...bad].filter((text) => schema.safeParse(text).success);
    expect(taken).toEqual(good);
  });
});

describe("settingsTable", () => {
  it("names default and meaning of each", () => {
    const schema = z.object({
      A: setting.port().default(5001).describe("Outer."),
      B: setting.secret().describe("Needed."),
      C: setting.text().describe("Inner.").optional(),
    });
    expect(settingsTable(schema).split("\n").slice(2)).toEqual([
      "| `A` | `5001` | Outer. |",
      "| `B` | required | Needed. |",
      "| `C` | none | Inner. |",
      "",
    ]);
  });
});
