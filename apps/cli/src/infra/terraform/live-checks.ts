import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { InfraCheck } from "../check.ts";
import { copyLive, renderUnits } from "./live-units.ts";
import { complaintOf } from "./program.ts";

const commands = [
  ["init", "-backend=false", "-input=false", "-no-color"],
  ["validate", "-no-color"],
  ["test", "-no-color"],
];

/** What Terraform says against the rendered units whose names match, with the change that `spoil` makes. */
async function judge(
  environments: readonly string[],
  wanted: RegExp,
  spoil: (work: string) => void = () => undefined,
): Promise<{ checked: number; complaints: string[] }> {
  const work = mkdtempSync(join(tmpdir(), "chirrup-units-"));
  try {
    copyLive(work);
    spoil(work);
    const units = renderUnits(work, environments).filter(({ name }) => wanted.test(name));
    const complaints: string[] = [];
    for (const { name, folder } of units)
      complaints.push(...(await complaintOf(folder, commands)).map((text) => `${name}: ${text}`));
    return { checked: units.length, complaints };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

interface WrongUnit {
  readonly name: string;
  /** Whose plan must fail. */
  readonly unit: RegExp;
  readonly file: string;
  readonly from: RegExp;
  readonly to: string;
  readonly complaint: RegExp;
}

const wrongUnits: readonly WrongUnit[] = [
  {
    name: "an input of a wrong type",
    unit: /vpc$/,
    file: "live/prod/environment.hcl",
    from: /nat_per_zone = true/,
    to: 'nat_per_zone = "often"',
    complaint: /nat_per_zone/,
  },
  {
    name: "a value that the module refuses",
    unit: /rds-post$/,
    file: "live/prod/environment.hcl",
    from: /backup_days( +)= \d+/,
    to: "backup_days$1= 90",
    complaint: /1 to 35/,
  },
  {
    name: "an expression of nothing",
    unit: /ecr$/,
    file: "live/prod/eu-west-1/ecr/terragrunt.hcl",
    from: /include\.root\.locals\.name/,
    to: "include.root.locals.title",
    complaint: /title/,
  },
  {
    name: "a provider without its account",
    unit: /ecr$/,
    file: "root.hcl",
    from: /allowed_account_ids/,
    to: "allowed_accounts",
    complaint: /allowed_accounts/,
  },
  {
    name: "the other environment's state",
    unit: /ecr$/,
    file: "root.hcl",
    from: /bucket( +)= "\$\{local\.name\}/,
    to: 'bucket$1= "chirrup-dev',
    complaint: /own bucket/,
  },
];

export const liveChecks: readonly InfraCheck[] = [
  {
    name: "terragrunt: planned by Terraform",
    quick: false,
    run: async () => {
      const { checked, complaints } = await judge(["dev", "prod"], /./);
      return { checked, unit: "planned units", faults: complaints };
    },
  },
  {
    name: "terragrunt: wrong plans",
    quick: false,
    run: async () => {
      const faults: string[] = [];
      for (const { name, unit, file, from, to, complaint } of wrongUnits) {
        const { complaints } = await judge(["prod"], unit, (work) => {
          const path = join(work, "infra", "terragrunt", file);
          const right = readFileSync(path, "utf8");
          const wrong = right.replace(from, to);
          if (wrong === right) throw new Error(`${file} has no ${String(from)} to spoil`);
          writeFileSync(path, wrong);
        });
        if (!complaints.some((text) => complaint.test(text)))
          faults.push(`${name}: was not found ${complaints.join(" ")}`);
      }
      return { checked: wrongUnits.length, unit: "seeded faults", faults };
    },
  },
];
