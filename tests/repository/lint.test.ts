import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
let copy: string;

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), "chirrup-lint-"));
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  for (const file of [".oxlintrc.json", "tsconfig.base.json"])
    copyFileSync(join(root, file), join(copy, file));
  writeFileSync(
    join(copy, "tsconfig.json"),
    '{ "extends": "./tsconfig.base.json", "include": ["services"] }',
  );
});

afterAll(() => rmSync(copy, { recursive: true, force: true }));

/** The rules that complain about this text in this place of the tree. */
function complaints(file: string, text: string): string {
  const path = join(copy, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  try {
    const { stdout, status } = spawnSync("oxlint", ["--type-aware", file], { cwd: copy, encoding: "utf8" });
    return status === 0 ? "" : stdout;
  } finally {
    rmSync(path);
  }
}

describe("the linter", () => {
  it("has nothing to say about a clean file", () => {
    const clean = "export const y: number = 1;\n";
    expect(complaints("services/post/src/handlers/get-post.ts", clean)).toBe("");
  });

  it.each([
    [
      "a service that imports another",
      "services/post/src/server.ts",
      'import "@chirrup/user";',
      "No service imports another",
    ],
    [
      "SQL in a handler",
      "services/post/src/handlers/a.ts",
      'import pg from "pg";\nexport { pg };',
      "Only a store has SQL",
    ],
    [
      "a domain that reads a store",
      "services/post/src/domain/a.ts",
      'import { x } from "../store/x.ts";\nexport { x };',
      "The domain is pure",
    ],
    [
      "a domain with I/O",
      "services/post/src/domain/a.ts",
      'import { readFile } from "node:fs/promises";\nexport { readFile };',
      "The domain is pure",
    ],
    [
      "a store that calls up",
      "services/post/src/store/a.ts",
      'import { x } from "../handlers/x.ts";\nexport { x };',
      "A store knows its database",
    ],
    [
      "grpc-js outside of its package",
      "services/post/src/server.ts",
      'import { Client } from "@grpc/grpc-js";\nexport { Client };',
      "Only packages/grpc",
    ],
    [
      "the environment outside of config",
      "services/post/src/store/a.ts",
      'export const x = process.env["X"];',
      "no-process-env",
    ],
    [
      "a floating promise",
      "services/post/src/a.ts",
      "async function f(): Promise<void> {}\nexport function g(): void {\n  f();\n}",
      "no-floating-promises",
    ],
    ["any", "services/post/src/a.ts", "export const x: any = 1;", "no-explicit-any"],
    [
      "a non-null assertion",
      "services/post/src/a.ts",
      "export const f = (x?: string): string => x!;",
      "no-non-null-assertion",
    ],
    [
      "an unsafe value",
      "services/post/src/a.ts",
      'export const x: string = JSON.parse("1");',
      "no-unsafe-assignment",
    ],
    ["console", "services/post/src/a.ts", 'console.log("x");', "no-console"],
    [
      "a forgotten case",
      "services/post/src/a.ts",
      'export function f(x: "a" | "b"): void {\n  switch (x) {\n    case "a":\n      break;\n  }\n}',
      "switch-exhaustiveness-check",
    ],
  ])("finds %s", (_, file, text, complaint) => {
    expect(complaints(file, `${text}\n`)).toContain(complaint);
  });
});
