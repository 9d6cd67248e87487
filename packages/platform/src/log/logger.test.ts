import { describe, expect, it } from "vitest";

import { createLogger, type LogFormat } from "./logger.ts";

function capture(format: LogFormat = "json") {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const log = createLogger({ service: "post", level: "debug", format, destination });
  return { log, lines, last: () => JSON.parse(lines.at(-1) ?? "{}") as Record<string, unknown> };
}

describe("createLogger", () => {
  it("writes service, level, time and message", () => {
    const { log, last } = capture();
    log.info({ postId: "7" }, "written");
    expect(last()).toMatchObject({ service: "post", level: "info", msg: "written", postId: "7" });
    expect(Date.parse(String(last()["time"]))).toBeGreaterThan(0);
  });

  it("hides secrets at any depth, in children and in arrays", () => {
    const { log, lines } = capture();
    log.child({ authorization: "Bearer hunter2" }).info({
      password: "hunter2",
      user: {
        refreshToken: "hunter2",
        list: [{ "set-cookie": ["hunter2"], deep: { PEER_SECRET: "hunter2" } }],
      },
      bytes: Buffer.from("hunter2"),
      tokens: 5,
    });
    expect(lines.join()).not.toContain("hunter2");
    expect(lines.join()).toContain('"tokens":5');
  });

  it("hides passwords in URLs, in messages of errors and their causes too", () => {
    const { log, lines, last } = capture();
    const cause = Object.assign(new Error("cannot reach postgres://app:hunter2@db:5432/post"), {
      code: "ECONNREFUSED",
      detail: "Key (email)=(ada@example.org) already exists.",
    });
    log.error(
      { err: new Error("no database", { cause }), url: "redis://:hunter2@h:1", also: [cause] },
      "failed",
    );
    expect(lines.join()).not.toContain("hunter2");
    expect(lines.join()).not.toContain("ada@example.org");
    expect(last()).toMatchObject({
      err: { type: "Error", message: "no database", cause: { code: "ECONNREFUSED" } },
      url: "redis://:***@h:1",
      also: [{ message: "cannot reach postgres://app:***@db:5432/post" }],
    });
    expect((last()["err"] as { stack: string }).stack).toContain("logger.test.ts");
  });

  it("survives cycles and does not change what it is given", () => {
    const { log, lines } = capture();
    const fields: Record<string, unknown> = { token: "hunter2" };
    fields["self"] = fields;
    log.info(fields, "round");
    expect(lines.join()).not.toContain("hunter2");
    expect(fields["token"]).toBe("hunter2");
  });

  it("writes short lines for people, with stacks below", () => {
    const { log, lines } = capture("pretty");
    log.warn({ err: new Error("outer", { cause: new Error("inner") }), part: "redis" }, "away");
    const [head, ...rest] = (lines[0] ?? "").split("\n");
    expect(head).toMatch(/^\d\d:\d\d:\d\d\.\d{3} warn {2}post away part=redis$/);
    expect(rest.join("\n")).toMatch(/Error: outer[\s\S]*caused by[\s\S]*Error: inner/);
  });
});
