import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { repositoryRoot } from "../paths.ts";
import { fillConfig } from "./connectors.ts";

const values = {
  source: "post",
  database_host: "127.0.0.1",
  database_port: "5432",
  database_user: "debezium",
  database_password: '${file:/a "b"/secrets:password}',
  database_sslmode: "disable",
};

describe("the connector's configuration", () => {
  const text = readFileSync(join(repositoryRoot, "infra", "debezium", "outbox.json"), "utf8");

  it("names every value that it needs, and only texts stand in it", () => {
    const config = fillConfig(text, values);
    expect(config["slot.name"]).toBe("chirrup_post");
    expect(config["database.password"]).toBe(values.database_password);
    expect(config["transforms.outbox.route.topic.replacement"]).toBe("${routedByValue}");
    expect(
      Object.values(config).filter((value) => typeof value !== "string" || value.includes("{{")),
    ).toEqual([]);
  });

  it("is refused when it asks for something unknown", () => {
    expect(() => fillConfig('{"a": "{{b}}"}', values)).toThrow(/unknown value: b/);
  });
});
