import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { repositoryRoot } from "../../launcher/paths.ts";
import type { InfraCheck } from "../check.ts";
import { pythonTool, run } from "../tools.ts";

/**
 * squawk's rules about what the release before, whose pods still run, cannot live with. Its others are about locks,
 * which the migrations' own lock timeout bounds.
 */
const breaking: ReadonlySet<string> = new Set([
  "adding-not-nullable-field",
  "adding-required-field",
  "ban-drop-column",
  "ban-drop-database",
  "ban-drop-function",
  "ban-drop-schema",
  "ban-drop-table",
  "ban-drop-type",
  "ban-truncate-cascade",
  "changing-column-type",
  "renaming-column",
  "renaming-table",
]);

/** A migration that takes away says since which migration nothing uses it, and so which release must run by then. */
const contract = /^-- Contract: nothing since (\S+\.sql) .+$/m;

interface Finding {
  readonly file: string;
  readonly line: number;
  readonly rule_name: string;
  readonly message: string;
}

/** What in these files the release before them cannot live with. */
function breakingChanges(files: readonly string[]): string[] {
  const squawk = pythonTool("squawk", "squawk-cli", "2.70.0");
  const args = ["--reporter=json", "--assume-in-transaction", "--pg-version=17.0", ...files];
  const { stdout, output } = run(squawk, args);
  if (!stdout.startsWith("[")) throw new Error(output);
  const expands = new Set(files.filter((file) => !isContract(file, files)));
  return (JSON.parse(stdout) as Finding[])
    .filter(({ file, rule_name: rule }) => breaking.has(rule) && expands.has(file))
    .map(
      ({ file, line, rule_name: rule, message }) =>
        `${relative(repositoryRoot, file)}:${line + 1}: ${message} [${rule}]`,
    );
}

/** Whether it says what it takes away, and names an older migration beside it. */
function isContract(file: string, files: readonly string[]): boolean {
  const [, since] = contract.exec(readFileSync(file, "utf8")) ?? [];
  return (
    since !== undefined && since < (file.split("/").at(-1) ?? "") && files.includes(join(file, "..", since))
  );
}

const migrations = (): string[] =>
  globSync(join(repositoryRoot, "{services,packages}", "*", "migrations", "*.sql")).toSorted();

const wrong: readonly (readonly [name: string, sql: string])[] = [
  ["a column dropped", "ALTER TABLE posts DROP COLUMN content;"],
  ["a column renamed", "ALTER TABLE posts RENAME COLUMN content TO body;"],
  ["a column that old writers leave out", "ALTER TABLE posts ADD COLUMN language text NOT NULL;"],
  ["a table dropped", "DROP TABLE posts;"],
  ["a type changed", "ALTER TABLE posts ALTER COLUMN id TYPE text;"],
  [
    "a contract that names no older migration",
    "-- Contract: nothing since 0099_later.sql reads it.\nALTER TABLE posts DROP COLUMN content;",
  ],
];
const right = "-- Contract: nothing since 0001_posts.sql reads it.\nALTER TABLE posts DROP COLUMN content;\n";

/** Migrations run while the pods of the release before still do: expand in one release, contract in a later one. */
export const migrationChecks: readonly InfraCheck[] = [
  {
    name: "migrations: the release before",
    quick: true,
    run: () => {
      const files = migrations();
      return { checked: files.length, unit: "migrations", faults: breakingChanges(files) };
    },
  },
  {
    name: "migrations: seeded faults",
    quick: true,
    run: () => {
      const folder = mkdtempSync(join(tmpdir(), "chirrup-migrations-"));
      try {
        const judge = (sql: string): string[] => {
          const files = [join(folder, "0001_posts.sql"), join(folder, "0002_wrong.sql")];
          writeFileSync(files[0] ?? "", "CREATE TABLE posts (id bigint PRIMARY KEY, content text);\n");
          writeFileSync(files[1] ?? "", `${sql}\n`);
          return breakingChanges(files);
        };
        return {
          checked: wrong.length,
          unit: "seeded faults",
          faults: [
            ...wrong.filter(([, sql]) => judge(sql).length === 0).map(([name]) => `${name}: was not found`),
            ...judge(right).map((fault) => `a contract that is in order: ${fault}`),
          ],
        };
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  },
];
