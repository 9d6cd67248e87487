import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { indexRules, parseRules } from "../src/limits/rules.ts";
import { parseDescriptors } from "../src/routing/descriptors.ts";
import { buildRouteTable } from "../src/routing/route-table.ts";
import { platformDescriptors } from "./descriptors.ts";

describe("production's rate rules", () => {
  it("limit every state change that anybody may ask for, by the address", () => {
    const { routes } = buildRouteTable(parseDescriptors(readFileSync(platformDescriptors)), {
      defaultDeadlineMs: 1,
      cookieNames: new Set(["access", "refresh"]),
    });
    const file = readFileSync(new URL("../config/rates.production.yaml", import.meta.url), "utf8");
    const index = indexRules(parseRules(parse(file)), routes);
    const strict = routes
      .filter(({ httpMethod, needs }) => httpMethod !== "GET" && needs.isPublic)
      .map((route) => [
        route.name,
        index.of(route).early.filter(({ name, key }) => key.includes("ip") && name !== "address").length,
      ]);
    expect(strict.length).toBeGreaterThanOrEqual(4);
    expect(strict.filter(([, rules]) => rules === 0)).toEqual([["POST /api/v1/logout", 0]]);
  });
});
