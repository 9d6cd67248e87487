import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "../../launcher/paths.ts";
import { goToolOf, run } from "../tools.ts";
import { ToolMissing } from "../check.ts";
import { type Plugin, servePlugin } from "./plugin.ts";
import { readSchema } from "./provider-schema.ts";

export const modulesFolder: string = join(repositoryRoot, "infra", "terraform", "modules");
export const modules = (): string[] => readdirSync(modulesFolder).toSorted();
export const textOf = (folder: string): string =>
  readdirSync(folder)
    .filter((name) => name.endsWith(".tf"))
    .map((name) => readFileSync(join(folder, name), "utf8"))
    .join("\n");

interface Program {
  readonly path: string;
  /** Where the program looks for a provider that is named without a host. */
  readonly registry: string;
}

/**
 * Terraform as it is installed, or OpenTofu from its Go module: Terraform's own is not built by `go install`. The
 * replacement is OpenTofu's own, which Go does not take over from a module that is required.
 */
function findProgram(): Program {
  try {
    const { stdout } = run("terraform", ["version", "-json"]);
    const { terraform_version: version } = JSON.parse(stdout) as { terraform_version: string };
    if (/^1\.(1[1-9]|[2-9]\d)\./.test(version))
      return { path: "terraform", registry: "registry.terraform.io" };
  } catch (error) {
    if (!(error instanceof ToolMissing)) throw error;
  }
  const path = goToolOf(
    "tofu",
    "github.com/opentofu/opentofu/cmd/tofu",
    "v1.12.6",
    "module chirrup.invalid/tofu\n\ngo 1.26.6\n\nrequire github.com/opentofu/opentofu v1.12.6\n\n" +
      "replace github.com/hashicorp/hcl/v2 v2.20.1 => github.com/opentofu/hcl/v2 v2.20.2-0.20251021132045-587d123c2828\n",
  );
  return { path, registry: "registry.opentofu.org" };
}

const named = (text: string, kind: string): string[] => [
  ...new Set([...text.matchAll(new RegExp(`^${kind} "(aws_\\w+)"`, "gm"))].map(([, type = ""]) => type)),
];

interface Attached {
  readonly program: Program;
  readonly plugin: Plugin;
  /** Types that the modules name and the provider does not have. */
  readonly unknown: readonly string[];
}

let attaching: Promise<Attached> | undefined;

/** The program, and a provider of the modules' types that runs in this process. */
export async function attached(): Promise<Attached> {
  attaching ??= attach();
  return attaching;
}

async function attach(): Promise<Attached> {
  const program = findProgram();
  const text = modules()
    .map((name) => textOf(join(modulesFolder, name)))
    .join("\n");
  const [resources, dataSources] = [named(text, "resource"), named(text, "data")];
  const schema = readSchema(resources, dataSources);
  const unknown = [
    ...resources.filter((type) => !(type in schema.resources)),
    ...dataSources.filter((type) => !(type in schema.dataSources)),
  ];
  return { program, plugin: await servePlugin(`${program.registry}/hashicorp/aws`, schema), unknown };
}

/** Runs commands in a folder, one after the other; what the first that fails says, or nothing. */
export async function complaintOf(
  folder: string,
  commands: readonly (readonly string[])[],
): Promise<string[]> {
  for (const args of commands) {
    const { ok, output } = await terraform(folder, args);
    if (!ok) return [`terraform ${args[0]}: ${output.slice(-1_500)}`];
  }
  return [];
}

/** Not spawnSync: the provider that Terraform asks is this process. */
async function terraform(folder: string, args: readonly string[]): Promise<{ ok: boolean; output: string }> {
  const { program, plugin } = await attached();
  const env = {
    ...process.env,
    TF_REATTACH_PROVIDERS: plugin.reattach,
    TF_IN_AUTOMATION: "1",
    CHECKPOINT_DISABLE: "1",
  };
  return new Promise((resolve) => {
    execFile(program.path, args, { cwd: folder, env, timeout: 120_000 }, (error, stdout, stderr) =>
      resolve({ ok: error === null, output: `${stdout}${stderr}`.trim() }),
    );
  });
}

/** Lets the process end. */
export async function releaseTerraform(): Promise<void> {
  if (attaching !== undefined) (await attaching).plugin.close();
}
