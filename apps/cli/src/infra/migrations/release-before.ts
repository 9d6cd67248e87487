import {
  chmodSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { repositoryRoot } from "../../launcher/paths.ts";
import { type InfraCheck, ToolMissing } from "../check.ts";
import { run } from "../tools.ts";

/** What may still run, or run again after a rollback: a promotion writes it down. */
const { commit, exceptions } = JSON.parse(
  readFileSync(join(repositoryRoot, "infra", "release-before.json"), "utf8"),
) as {
  readonly commit: string;
  /** Tests that write by themselves what the release's code would not, each with its reason. */
  readonly exceptions: Readonly<Record<string, string>>;
};

/** The tests that ask a database what the services ask it, but for those that measure time. */
const tests = (root: string): string[] =>
  globSync(
    ["services/{user,follow,post}/tests/*.test.ts", "packages/platform/tests/{outbox,idempotent}.test.ts"],
    { cwd: root, exclude: ["**/{flood,timing}.test.ts"] },
  ).toSorted();

const migrationFolders = (root: string): string[] =>
  globSync("{services,packages}/*/migrations", { cwd: root }).toSorted();

/** Lays out that commit with today's migrations in the place of its own. */
function checkOut(folder: string): void {
  mkdirSync(folder);
  const archive = `${folder}.tar`;
  const archived = run("git", ["archive", `--output=${archive}`, commit], { cwd: repositoryRoot });
  if (!archived.ok) throw new ToolMissing(`${commit} is not in this clone: git fetch --unshallow`);
  const unpacked = run("tar", ["-xf", archive, "-C", folder]);
  if (!unpacked.ok) throw new Error(unpacked.output);
  for (const name of migrationFolders(folder)) rmSync(join(folder, name), { recursive: true });
  for (const name of migrationFolders(repositoryRoot))
    cpSync(join(repositoryRoot, name), join(folder, name), { recursive: true });
}

/** Runs its tests by its own launcher, which installs what it had. */
function testRelease(folder: string, chosen: readonly string[]): { passed: number; failed: string[] } {
  const { output } = run(process.execPath, ["apps/cli/bin/chirrup.js", "run", "test", ...chosen], {
    cwd: folder,
    env: { NO_COLOR: "1" },
  });
  const [, passed = "0", failed = ""] = /^(\d+) passed, (\d+) failed$/m.exec(output) ?? [];
  const names = [...new Set([...output.matchAll(/^ *FAIL +(.+)$/gm)].map(([, name = ""]) => name))];
  const unnamed = failed === "0" ? [] : [`its tests ended with: ${output.slice(-800)}`];
  return { passed: Number(passed), failed: names.length > 0 ? names : unnamed };
}

function withRelease<T>(use: (folder: string) => T): T {
  const work = mkdtempSync(join(tmpdir(), "chirrup-before-"));
  try {
    // Postgres, which does not run as root, has to get at the programs in it.
    chmodSync(work, 0o755);
    const folder = join(work, "release");
    checkOut(folder);
    return use(folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** What no linter sees: valid by itself, and wrong for writers that do not know it. */
const wrong: readonly (readonly [name: string, file: string, test: string, sql: string])[] = [
  [
    "a constraint that old writers break",
    "services/post/migrations/9999_wrong.sql",
    "services/post/tests/posts.test.ts",
    "ALTER TABLE posts ADD COLUMN language text, ADD CONSTRAINT language_said CHECK (language IS NOT NULL);",
  ],
  [
    "a trigger that drops what old writers send",
    "packages/platform/migrations/p9999_wrong.sql",
    "packages/platform/tests/outbox.test.ts",
    `CREATE FUNCTION wrong() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
     CREATE TRIGGER wrong BEFORE INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION wrong();`,
  ],
];

/** The release before runs on the database that today's migrations make. */
export const releaseBeforeChecks: readonly InfraCheck[] = [
  {
    name: "migrations: the release before runs",
    quick: false,
    run: () =>
      withRelease((folder) => {
        const { passed, failed } = testRelease(folder, tests(folder));
        const excepted = Object.keys(exceptions);
        const faults = [
          ...failed.filter((name) => !excepted.some((ending) => name.endsWith(ending))),
          ...excepted
            .filter((ending) => !failed.some((name) => name.endsWith(ending)))
            .map((ending) => `an exception that is not needed: ${ending}`),
        ].map((fault) => `${commit.slice(0, 7)}: ${fault}`);
        for (const [name, file, test, sql] of faults.length === 0 ? wrong : []) {
          const path = join(folder, file);
          if (!existsSync(dirname(path))) throw new Error(`there is no folder of ${file}`);
          writeFileSync(path, `${sql}\n`);
          if (testRelease(folder, [test]).failed.length === 0) faults.push(`${name}: was not found`);
          rmSync(path);
        }
        return { checked: passed + wrong.length, unit: "tests of the release before", faults };
      }),
  },
];
