import { readFileSync } from "node:fs";
import { settingsTable } from "@chirrup/platform";
import { describe, expect, it } from "vitest";
import { configSchema } from "./config.ts";
import { gatewayFileSchema } from "./gateway-file.ts";
import { ruleFields } from "./limits/rules.ts";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

describe("the README's tables", () => {
  it.each([
    ["settings", configSchema],
    ["keys of a gateway file", gatewayFileSchema],
    ["keys of a rate rule", ruleFields],
  ])("of %s are as the schema has them", (_, schema) => {
    // The formatter aligns the columns.
    const cells = (table: string) => table.replaceAll(/-+/g, "-").replaceAll(/ *\| */g, "|");
    expect(cells(readme)).toContain(cells(settingsTable(schema)));
  });
});
