import { existsSync, globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { repositoryRoot } from "../../launcher/paths.ts";
import type { InfraCheck } from "../check.ts";

const folder = join(repositoryRoot, "docs", "runbooks");

/** The commands of the command line, with their subcommands' own names. */
const commands = (): Set<string> =>
  new Set(
    [
      ...readFileSync(join(repositoryRoot, "apps", "cli", "src", "main.ts"), "utf8").matchAll(
        /\.command\("([\w-]+)"/g,
      ),
    ].map(([, name = ""]) => name),
  );

const scripts = (): string[] => {
  const manifest = readFileSync(join(repositoryRoot, "package.json"), "utf8");
  return Object.keys((JSON.parse(manifest) as { scripts: Record<string, string> }).scripts);
};

/** What a page tells its reader to run or to open, and that is not there. */
function faultsOf(text: string): string[] {
  const known = commands();
  return [
    ...[...text.matchAll(/\bchirrup ((?:[a-z][\w-]*)(?: [a-z][\w-]*)?)/g)]
      .filter(([whole]) => text.includes(`npx ${whole}`) || text.includes(`\`${whole}`))
      .filter(([, words = ""]) => !known.has(words.split(" ")[0] ?? ""))
      .map(([whole]) => `there is no command ${whole}`),
    ...[...text.matchAll(/\bnpm run ([\w:]+)/g)]
      .filter(([, script = ""]) => !scripts().includes(script))
      .map(([whole]) => `there is no ${whole}`),
    ...[...text.matchAll(/(?:^|[\s`"(])((?:infra|apps|services|docs|packages|\.github)\/[\w./-]*\w)/gm)]
      .map(([, path = ""]) => path)
      .filter((path) => !existsSync(join(repositoryRoot, path)))
      // A place with a variable in it stands for each environment.
      .filter((path) => !text.includes(`${path}/$`) && !text.includes(`${path}/<`))
      .map((path) => `there is no ${path}`),
    ...[...text.matchAll(/`([\w-]+\.md)`/g)]
      .filter(([, page = ""]) => !existsSync(join(folder, page)))
      .map(([, page = ""]) => `there is no page ${page}`),
  ];
}

const wrong: readonly (readonly [string, string])[] = [
  ["a command that does not exist", "Run `npx chirrup recover-everything`."],
  ["a file that does not exist", "See `infra/terraform/modules/mainframe`."],
  ["a script that does not exist", "`npm run deploy`"],
];

export const runbookChecks: readonly InfraCheck[] = [
  {
    name: "runbooks: commands and paths",
    quick: true,
    run: () => {
      const pages = globSync(join(folder, "*.md")).toSorted();
      return {
        checked: pages.length,
        unit: "runbooks",
        faults: pages.flatMap((page) =>
          faultsOf(readFileSync(page, "utf8")).map((fault) => `${basename(page)}: ${fault}`),
        ),
      };
    },
  },
  {
    name: "runbooks: seeded faults",
    quick: true,
    run: () => ({
      checked: wrong.length,
      unit: "seeded faults",
      faults: wrong
        .filter(([, text]) => faultsOf(text).length === 0)
        .map(([name]) => `${name}: was not found`),
    }),
  },
];
