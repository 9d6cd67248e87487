import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import type { InfraCheck } from "../check.ts";
import { at, environments, textAt } from "../kubernetes/objects.ts";
import { run } from "../tools.ts";
import { copyLive } from "./live-units.ts";
import { attached, runAttached } from "./program.ts";

/**
 * Terragrunt's own program judges the units. It is on no registry that the other tools come from, so it is not
 * installed here: it has to be in PATH, as the nightly workflow puts it.
 */
async function withLive<T>(use: (live: string) => Promise<T>): Promise<T> {
  const work = mkdtempSync(join(tmpdir(), "chirrup-terragrunt-"));
  try {
    copyLive(work);
    // Its get_repo_root() asks git.
    run("git", ["init", "--quiet", work]);
    const live = join(work, "infra", "terragrunt", "live");
    return await use(live);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

const terragrunt = async (
  folder: string,
  args: readonly string[],
): Promise<{ ok: boolean; output: string; stdout: string }> =>
  runAttached("terragrunt", folder, args, {
    TG_TF_PATH: (await attached()).program.path,
    TG_NON_INTERACTIVE: "true",
    TG_NO_COLOR: "true",
    TG_LOG_LEVEL: "error",
    TG_DISABLE_COMMAND_DISPLAY: "true",
  });

/** What the first of these says that fails: those after it would say the same again. */
async function complaintOfSteps(folder: string, steps: readonly (readonly string[])[]): Promise<string[]> {
  for (const args of steps) {
    const { ok, output } = await terragrunt(folder, args);
    if (!ok) return [`terragrunt ${args.join(" ")}: ${output.slice(-1_500)}`];
  }
  return [];
}

const read: readonly (readonly string[])[] = [
  ["hcl", "fmt", "--check"],
  ["hcl", "validate"],
  ["hcl", "validate", "--inputs", "--strict"],
  ["render", "--all", "--json", "--write"],
];

/** Every unit initialised and validated, in the order of their dependencies, with states in files: S3's needs an account. */
async function runFaults(folder: string): Promise<string[]> {
  const root = join(folder, "..", "..", "root.hcl");
  const text = readFileSync(root, "utf8");
  const local = text
    .replace(/backend = "s3"/, 'backend = "local"')
    .replace(/config = \{[\s\S]*?\n {2}\}/, `config = {\n    path = "\${get_terragrunt_dir()}/state"\n  }`);
  writeFileSync(root, local);
  return complaintOfSteps(folder, [["run", "--all", "--", "validate"]]);
}

const unitsOf = (folder: string): string[] =>
  globSync(join(folder, "**", "terragrunt.hcl")).map((file) => relative(folder, dirname(file)));

interface Found {
  readonly path: string;
  readonly dependencies?: readonly string[];
}

/** Whether Terragrunt sees all units, each after those that it depends on. */
async function orderFaults(folder: string): Promise<string[]> {
  const { ok, stdout, output } = await terragrunt(folder, ["find", "--dag", "--dependencies", "--json"]);
  if (!ok) return [output.slice(-1_500)];
  const found = JSON.parse(stdout) as Found[];
  const place = new Map(found.map(({ path }, index) => [path, index]));
  return [
    ...unitsOf(folder)
      .filter((unit) => !place.has(unit))
      .map((unit) => `${unit}: Terragrunt does not find it`),
    ...found.flatMap(({ path, dependencies = [] }, index) =>
      dependencies
        .filter((other) => (place.get(other) ?? Infinity) > index)
        .map((other) => `${path}: comes before ${other}, which it needs`),
    ),
  ];
}

/** What Terragrunt's rendering says of each unit's state and provider. */
function renderedFaults(folder: string, environment: string): string[] {
  const site = readFileSync(join(folder, "..", "..", "..", "site", "site.env"), "utf8");
  const account =
    new RegExp(`^${environment.toUpperCase()}_ACCOUNT_ID=(\\d+)$`, "m").exec(site)?.[1] ?? "unknown";
  const keys = new Set<string>();
  return globSync(join(folder, "**", "terragrunt.rendered.json")).flatMap((file) => {
    const unit = relative(folder, dirname(file));
    const rendered = JSON.parse(readFileSync(file, "utf8")) as unknown;
    const state = at(rendered, "remote_state", "config");
    const key = textAt(state, "key");
    const provider = textAt(rendered, "generate", "provider", "contents");
    const faults = [
      keys.has(key) && `shares its state ${key} with another`,
      !key.endsWith(`${environment}/${unit}/terraform.tfstate`) && `keeps its state at ${key}`,
      !textAt(state, "bucket").includes(`-${environment}-${account}-`) && "keeps its state in another bucket",
      at(state, "use_lockfile") !== true && "does not lock its state",
      !provider.includes(`allowed_account_ids = ["${account}"]`) && "may touch another account",
    ];
    keys.add(key);
    return faults.filter((fault) => fault !== false).map((fault) => `${unit}: ${fault}`);
  });
}

/** What can be said of an environment without running anything. */
async function readingFaults(folder: string, environment: string): Promise<string[]> {
  const complaints = await complaintOfSteps(folder, read);
  return complaints.length > 0
    ? complaints
    : [...(await orderFaults(folder)), ...renderedFaults(folder, environment)];
}

/** Of the kinds that only Terragrunt sees. */
const wrong: readonly {
  readonly name: string;
  readonly file: string;
  readonly from: RegExp;
  readonly to: string;
  readonly complaint: RegExp;
}[] = [
  {
    name: "units that wait for each other",
    file: "prod/eu-west-1/vpc/terragrunt.hcl",
    from: /$/,
    to: '\ndependency "eks" {\n  config_path = "../eks"\n}\n',
    complaint: /cycle/i,
  },
  {
    name: "a function that Terragrunt does not have",
    file: "root.hcl",
    from: /path_relative_to_include/,
    to: "path_relative_to_root",
    complaint: /path_relative_to_root/,
  },
  {
    name: "an input that the module does not take",
    file: "prod/eu-west-1/ecr/terragrunt.hcl",
    from: /inputs = \{/,
    to: 'inputs = {\n  colour = "red"\n',
    complaint: /not defined in the OpenTofu/,
  },
  {
    name: "one state for all units",
    file: "root.hcl",
    from: /\$\{path_relative_to_include\(\)\}/,
    to: "units",
    complaint: /shares its state/,
  },
  {
    name: "a root file that is not found",
    file: "prod/eu-west-1/msk/terragrunt.hcl",
    from: /"root\.hcl"/,
    to: '"base.hcl"',
    complaint: /Could not convert include/,
  },
];

export const terragruntChecks: readonly InfraCheck[] = [
  {
    name: "terragrunt: by Terragrunt itself",
    quick: false,
    run: async () => {
      const faults: string[] = [];
      let checked = 0;
      for (const environment of environments)
        await withLive(async (live) => {
          const folder = join(live, environment);
          checked += unitsOf(folder).length;
          const found = [...(await readingFaults(folder, environment)), ...(await runFaults(folder))];
          faults.push(...found.map((fault) => `${environment}: ${fault}`));
        });
      return { checked, unit: "units by Terragrunt", faults };
    },
  },
  {
    name: "terragrunt: faults for Terragrunt",
    quick: false,
    run: async () => {
      const faults: string[] = [];
      for (const { name, file, from, to, complaint } of wrong) {
        const found = await withLive(async (live) => {
          const path = join(live, file === "root.hcl" ? "../root.hcl" : file);
          const right = readFileSync(path, "utf8");
          const spoiled = right.replace(from, to);
          if (spoiled === right) throw new Error(`${file} has no ${String(from)} to spoil`);
          writeFileSync(path, spoiled);
          return readingFaults(join(live, "prod"), "prod");
        });
        if (!found.some((text) => complaint.test(text)))
          faults.push(`${name}: was not found ${found.join(" ")}`);
      }
      return { checked: wrong.length, unit: "seeded faults", faults };
    },
  },
];
