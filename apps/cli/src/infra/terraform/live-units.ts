import { cpSync, globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { repositoryRoot } from "../../launcher/paths.ts";

const infra = join(repositoryRoot, "infra");

/** A unit of an environment as a root module of Terraform's own. */
export interface RenderedUnit {
  /** "prod/eu-west-1/vpc". */
  readonly name: string;
  /** Holds main.tf, provider.tf and tests/unit.tftest.hcl. */
  readonly folder: string;
}

/** Copies what the units read to an empty folder, which a fault can then be put into. */
export function copyLive(work: string): void {
  for (const part of ["terragrunt", "terraform/modules", "debezium", "site"])
    cpSync(join(infra, part), join(work, "infra", part), { recursive: true });
}

/**
 * Writes each unit as Terraform reads it, so that Terraform evaluates what Terragrunt would: `include.root` becomes a
 * module with root.hcl's locals, a dependency its mocked outputs, `inputs` the arguments of the unit's module, the
 * generated provider a file. *Why not Terragrunt:* its program is not to be had from a registry of modules, and it only
 * validates where there is no account. How it finds files, orders units and writes the backend is its own to show.
 */
export function renderUnits(work: string, environments: readonly string[]): RenderedUnit[] {
  const copied = join(work, "infra", "terragrunt");
  const rootText = readFileSync(join(copied, "root.hcl"), "utf8");
  return environments.flatMap((environment) => {
    const rootFolder = join(work, "rendered", environment, "root");
    mkdirSync(rootFolder, { recursive: true });
    writeFileSync(join(rootFolder, "main.tf"), rootModule(work, environment, rootText));
    return globSync(join(copied, "live", environment, "**", "terragrunt.hcl"))
      .toSorted()
      .map((file) => {
        const name = relative(join(copied, "live"), dirname(file));
        const folder = join(work, "rendered", environment, basename(dirname(file)));
        mkdirSync(join(folder, "tests"), { recursive: true });
        writeFileSync(join(folder, "main.tf"), unitModule(readFileSync(file, "utf8")));
        writeFileSync(join(folder, "provider.tf"), providerOf(rootText));
        writeFileSync(join(folder, "tests", "unit.tftest.hcl"), unitTest(environment));
        return { name, folder };
      });
  });
}

/** The lines between a block's braces; "" when there is no such block. */
function bodyOf(text: string, head: RegExp): string {
  return new RegExp(`^${head.source} \\{\\n([\\s\\S]*?)\\n\\}`, "m").exec(text)?.[1] ?? "";
}

function rootModule(work: string, environment: string, text: string): string {
  const file = readFileSync(
    join(work, "infra", "terragrunt", "live", environment, "environment.hcl"),
    "utf8",
  );
  const locals = bodyOf(text, /locals/)
    .replace('read_terragrunt_config(find_in_parent_folders("environment.hcl")).locals', "local.file")
    .replaceAll("${get_repo_root()}", "${path.module}/../../..");
  const config = bodyOf(text, /remote_state/).match(/^ {2}config = (\{\n[\s\S]*?\n {2}\})/m)?.[1] ?? "{}";
  const state = config.replace("${path_relative_to_include()}", "${var.unit}");
  const names = [...locals.matchAll(/^ {2}(\w+) +=/gm)].map(([, name = ""]) => `${name} = local.${name}`);
  return `locals {
file = {
${bodyOf(file, /locals/)}
}
${locals}
}
variable "unit" {
  type = string
}
output "locals" {
  value = { ${names.join(", ")} }
}
output "state" {
  value = ${state}
}
`;
}

function unitModule(text: string): string {
  const module = /\/modules\/([\w-]+)"/.exec(text)?.[1] ?? "";
  const dependencies = [
    ...text.matchAll(/^dependency "(\w+)" \{\n[\s\S]*?\n {2}mock_outputs = (\{\n[\s\S]*?\n {2}\})/gm),
  ].map(([, name = "", mocks = ""]) => `  dependency_${name} = { outputs = ${mocks} }`);
  const evaluable = (part: string): string =>
    part
      .replaceAll("include.root.locals", "module.root.locals")
      .replaceAll(/dependency\.(\w+)\./g, "local.dependency_$1.")
      .replaceAll(/get_env\("\w+", ("[^"]*")\)/g, "$1");
  return `module "root" {
  source = "../root"
  unit   = "unit"
}
locals {
${evaluable(bodyOf(text, /locals/))}
${dependencies.join("\n")}
}
module "unit" {
  source = "../../../infra/terraform/modules/${module}"
${evaluable(bodyOf(text, /inputs =/))}
}
output "state" {
  value = module.root.state
}
`;
}

/** The provider that root.hcl generates, with the root module's values in its places. */
function providerOf(rootText: string): string {
  const contents = /^generate "provider" \{[\s\S]*?<<-EOT\n([\s\S]*?)\n {2}EOT/m.exec(rootText)?.[1] ?? "";
  return `${contents.replaceAll("${local.", "${module.root.locals.")}\n`;
}

/** Plans the unit against a mocked provider: its module's types, validations and preconditions on these very inputs. */
function unitTest(environment: string): string {
  const account = "00000000000";
  return `mock_provider "aws" {
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::${account}1:role/mocked" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-west-1:${account}1:key/00000000-0000-0000-0000-000000000000" }
  }
  mock_resource "aws_iam_openid_connect_provider" {
    defaults = { arn = "arn:aws:iam::${account}1:oidc-provider/mocked" }
  }
}
run "plan" {
  command = plan
  assert {
    condition     = strcontains(output.state.bucket, "-${environment}-") && output.state.encrypt && output.state.use_lockfile
    error_message = "The unit's state is not in its environment's own bucket."
  }
}
`;
}
