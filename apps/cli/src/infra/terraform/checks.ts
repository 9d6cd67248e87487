import { cpSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { repositoryRoot } from "../../launcher/paths.ts";
import type { InfraCheck } from "../check.ts";
import { goTool, pythonTool, run } from "../tools.ts";
import { attached, complaintOf, modules, modulesFolder, textOf } from "./program.ts";
import { awsProviderVersion } from "./provider-schema.ts";

/** Copies a module, lets `spoil` change it, and gives back what validate and test say against it. */
async function judge(name: string, spoil: (folder: string) => void = () => undefined): Promise<string[]> {
  const work = mkdtempSync(join(tmpdir(), "chirrup-terraform-"));
  const folder = join(work, "infra", "terraform", "modules", name);
  try {
    cpSync(join(modulesFolder, name), folder, { recursive: true });
    // The one connector, which the msk module reads from where the laptop's platform does.
    const debezium = join(repositoryRoot, "infra", "debezium");
    if (existsSync(debezium)) cpSync(debezium, join(work, "infra", "debezium"), { recursive: true });
    spoil(folder);
    const complaints = await complaintOf(folder, [
      ["init", "-backend=false", "-input=false", "-no-color"],
      ["validate", "-no-color"],
      ...(existsSync(join(folder, "tests")) ? [["test", "-no-color"]] : []),
    ]);
    return complaints.map((complaint) => `${name}: ${complaint}`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

const change =
  (file: string, from: RegExp, to: string) =>
  (folder: string): void => {
    const path = join(folder, file);
    const before = readFileSync(path, "utf8");
    const after = before.replace(from, to);
    if (after === before) throw new Error(`${file} has no ${String(from)} to spoil`);
    writeFileSync(path, after);
  };

const wrongModules: readonly (readonly [string, string, (folder: string) => void])[] = [
  ["a wrong attribute", "vpc", change("main.tf", /enable_dns_hostnames/, "enable_dns_hostname")],
  [
    "a wrong type",
    "vpc",
    change("main.tf", /cidr_block( +)= var.cidr/, "cidr_block$1= { range = var.cidr }"),
  ],
  ["a missing argument", "ecr", change("main.tf", /\n {2}name += .*/, "")],
  [
    "a public database",
    "rds",
    change("main.tf", /publicly_accessible( +)= false/, "publicly_accessible$1= true"),
  ],
  [
    "a database that takes plain text",
    "rds",
    change("main.tf", /"rds.force_ssl", value = "1"/, '"rds.force_ssl", value = "0"'),
  ],
  [
    "a bastion that the internet can reach",
    "vpc",
    change("bastion.tf", /associate_public_ip_address = false/, "associate_public_ip_address = true"),
  ],
  [
    "a key that decrypts anything",
    "eks",
    change("identities.tf", /\/\$\{var.environment\}\/\*"\] \} \}/, '/*"] } }'),
  ],
  [
    "a wildcard in a role",
    "eks",
    change("identities.tf", /"secretsmanager:GetSecretValue"/, '"secretsmanager:*"'),
  ],
  [
    "a plain-text cache",
    "elasticache",
    change("main.tf", /transit_encryption_enabled( +)= true/, "transit_encryption_enabled$1= false"),
  ],
  [
    "a log that two brokers can lose",
    "msk",
    change("main.tf", /min.insync.replicas=2/, "min.insync.replicas=1"),
  ],
];

/** checkov's rules that do not fit, each with its reason. */
const exceptions: Readonly<Record<string, string>> = JSON.parse(
  existsSync(join(repositoryRoot, "infra", "terraform", "policy-exceptions.json"))
    ? readFileSync(join(repositoryRoot, "infra", "terraform", "policy-exceptions.json"), "utf8")
    : "{}",
) as Record<string, string>;

export const terraformChecks: readonly InfraCheck[] = [
  {
    name: "terraform: format",
    quick: true,
    // By HCL's own formatter, which is what `terraform fmt` calls: it is built in seconds, Terraform in minutes.
    run: () => {
      const files = globSync(join(repositoryRoot, "infra", "**", "*.{tf,hcl}")).toSorted();
      const hclfmt = goTool("hclfmt", "github.com/hashicorp/hcl/v2/cmd/hclfmt", "v2.24.0");
      const faults = files
        .filter((file) => !run(hclfmt, ["-require-no-change", file]).ok)
        .map((file) => `${relative(repositoryRoot, file)} is not formatted: terraform fmt -recursive infra`);
      return { checked: files.length, unit: "HCL files", faults };
    },
  },
  {
    name: "terraform: variables and outputs",
    quick: true,
    run: () => {
      const faults: string[] = [];
      let checked = 0;
      for (const name of modules()) {
        const text = textOf(join(modulesFolder, name));
        for (const [, kind = "", what = "", body = ""] of text.matchAll(
          /^(variable|output) "(\w+)" \{\n([\s\S]*?)\n\}/gm,
        )) {
          checked += 1;
          if (!/^ {2}description += "/m.test(body))
            faults.push(`${name}: ${kind} ${what} has no description`);
          if (kind === "variable" && !/^ {2}type += /m.test(body))
            faults.push(`${name}: variable ${what} has no type`);
        }
        if (!text.includes(`version = "${awsProviderVersion}"`))
          faults.push(`${name}: does not pin the provider to ${awsProviderVersion}`);
      }
      return { checked, unit: "variables and outputs", faults };
    },
  },
  {
    name: "terraform: validate and test",
    quick: false,
    run: async () => {
      const faults: string[] = [];
      const { unknown } = await attached();
      faults.push(...unknown.map((type) => `the provider has no ${type}`));
      for (const name of modules()) faults.push(...(await judge(name)));
      return {
        checked: modules().length,
        unit: "modules",
        faults,
        left: ["what the provider itself checks: CIDRs, enumerations, conflicts between arguments"],
      };
    },
  },
  {
    name: "terraform: seeded faults",
    quick: false,
    run: async () => {
      const faults: string[] = [];
      for (const [what, name, spoil] of wrongModules) {
        if ((await judge(name, spoil)).length === 0) faults.push(`${what}: was not found`);
      }
      return { checked: wrongModules.length, unit: "seeded faults", faults };
    },
  },
  {
    name: "terraform: policy",
    quick: false,
    run: () => {
      const checkov = pythonTool("checkov", "checkov", "3.3.30");
      const { stdout } = run(checkov, [
        "--directory",
        modulesFolder,
        "--framework=terraform",
        "--quiet",
        "--compact",
        "--output=json",
        "--skip-download",
        ...Object.keys(exceptions).map((rule) => `--skip-check=${rule}`),
      ]);
      const report = JSON.parse(stdout) as {
        summary?: { passed: number; failed: number; parsing_errors: number };
        results?: {
          failed_checks: { check_id: string; check_name: string; resource: string; file_path: string }[];
        };
      };
      return {
        checked: (report.summary?.passed ?? 0) + (report.summary?.failed ?? 0),
        unit: "policies",
        faults: (report.results?.failed_checks ?? []).map(
          ({ check_id, check_name, resource, file_path }) =>
            `${file_path} ${resource}: ${check_name} [${check_id}]`,
        ),
        left:
          (report.summary?.parsing_errors ?? 0) > 0
            ? [`${report.summary?.parsing_errors ?? 0} files that checkov cannot read`]
            : [],
      };
    },
  },
];
