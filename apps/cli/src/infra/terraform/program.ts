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

/** Both say their version in the same form. */
const installed: readonly Program[] = [
  { path: "terraform", registry: "registry.terraform.io" },
  { path: "tofu", registry: "registry.opentofu.org" },
];

function isUsable({ path }: Program): boolean {
  try {
    const { stdout } = run(path, ["version", "-json"]);
    const { terraform_version: version } = JSON.parse(stdout) as { terraform_version: string };
    return /^1\.(1[1-9]|[2-9]\d)\./.test(version);
  } catch (error) {
    if (error instanceof ToolMissing) return false;
    throw error;
  }
}

/**
 * Terraform or OpenTofu as it is installed, or OpenTofu from its Go module: Terraform's own is not built by `go install`.
 * The replacement is OpenTofu's own, which Go does not take over from a module that is required.
 */
function findProgram(): Program {
  const found = installed.find(isUsable);
  if (found !== undefined) return found;
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
  const { program } = await attached();
  for (const args of commands) {
    const { ok, output } = await runAttached(program.path, folder, args);
    if (!ok) return [`terraform ${args[0]}: ${output.slice(-1_500)}`];
  }
  return [];
}

/**
 * Runs Terraform, or what calls it, with the provider of the modules' types. Not spawnSync: the provider that Terraform
 * asks is this process. Throws ToolMissing when there is no such program.
 */
export async function runAttached(
  command: string,
  folder: string,
  args: readonly string[],
  settings: Readonly<Record<string, string>> = {},
): Promise<{ ok: boolean; output: string; stdout: string }> {
  const { plugin } = await attached();
  const env = {
    ...process.env,
    TF_REATTACH_PROVIDERS: plugin.reattach,
    TF_IN_AUTOMATION: "1",
    CHECKPOINT_DISABLE: "1",
    // No settings of whoever runs this.
    TF_CLI_CONFIG_FILE: "/dev/null",
    ...settings,
  };
  const options = { cwd: folder, env, timeout: 300_000, maxBuffer: 64 * 1024 * 1024 };
  return new Promise((resolve, reject) => {
    execFile(command, args, options, (error, stdout, stderr) => {
      if (error?.code === "ENOENT") reject(new ToolMissing(`${command} is not installed`));
      else resolve({ ok: error === null, output: `${stdout}${stderr}`.trim(), stdout });
    });
  });
}

/** Lets the process end. */
export async function releaseTerraform(): Promise<void> {
  if (attaching !== undefined) (await attaching).plugin.close();
}
