import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { repositoryRoot } from "../../launcher/paths.ts";
import type { InfraCheck } from "../check.ts";

const infra = join(repositoryRoot, "infra");
const live = join(infra, "terragrunt", "live");

interface Module {
  readonly required: readonly string[];
  readonly variables: readonly string[];
  readonly outputs: readonly string[];
}

function readModule(name: string): Module | undefined {
  const folder = join(infra, "terraform", "modules", name);
  if (!existsSync(folder)) return undefined;
  const blocks = (file: string): (readonly [string, string])[] =>
    [...readFileSync(join(folder, file), "utf8").matchAll(/^\w+ "(\w+)" \{\n([\s\S]*?)\n\}/gm)].map(
      ([, block = "", body = ""]) => [block, body] as const,
    );
  const variables = blocks("variables.tf");
  return {
    variables: variables.map(([variable]) => variable),
    required: variables.filter(([, body]) => !/^ {2}default +=/m.test(body)).map(([variable]) => variable),
    outputs: blocks("outputs.tf").map(([output]) => output),
  };
}

const moduleOf = (text: string): string => /\/\/modules\/([\w-]+)"/.exec(text)?.[1] ?? "";

/** The faults of one unit: what it gives its module and takes of others, held to what those declare. */
export function unitFaults(file: string, text: string): string[] {
  const here = relative(live, dirname(file));
  const module = readModule(moduleOf(text));
  if (module === undefined) return [`${here}: its module ${moduleOf(text)} does not exist`];
  const inputs = [...(/^inputs = \{\n([\s\S]*?)\n\}/m.exec(text)?.[1] ?? "").matchAll(/^ {2}(\w+) +=/gm)].map(
    ([, name = ""]) => name,
  );
  const environment = readFileSync(join(live, here.split("/")[0] ?? "", "environment.hcl"), "utf8");
  const faults = [
    ...module.required.filter((name) => !inputs.includes(name)).map((name) => `does not set ${name}`),
    ...inputs
      .filter((name) => !module.variables.includes(name))
      .map((name) => `sets ${name}, which its module lacks`),
    ...[...text.matchAll(/local\.environment\.(\w+)/g)]
      .filter(([, name = ""]) => !new RegExp(`^ {2}${name} +=`, "m").test(environment))
      .map(([, name = ""]) => `reads ${name}, which environment.hcl lacks`),
    ...[...text.matchAll(/"chirrup\/(\w+)\//g)]
      .filter(([, of]) => of !== here.split("/")[0])
      .map(([path]) => `names a secret of another environment: ${path}`),
  ];
  for (const [, name = "", path = "", mocks = ""] of text.matchAll(
    /^dependency "(\w+)" \{\n {2}config_path += "([^"]+)"\n {2}mock_outputs = \{\n([\s\S]*?)\n {2}\}/gm,
  )) {
    const other = join(dirname(file), path, "terragrunt.hcl");
    const outputs = existsSync(other)
      ? readModule(moduleOf(readFileSync(other, "utf8")))?.outputs
      : undefined;
    if (outputs === undefined) {
      faults.push(`depends on ${path}, which does not exist`);
      continue;
    }
    const used = [...text.matchAll(new RegExp(`dependency\\.${name}\\.outputs\\.(\\w+)`, "g"))];
    for (const [, output = ""] of used) {
      if (!outputs.includes(output)) faults.push(`takes ${output} of ${path}, which has no such output`);
      if (!new RegExp(`^ {4}${output} +=`, "m").test(mocks)) faults.push(`has no mock of ${output}`);
    }
  }
  return faults.map((fault) => `${here}: ${fault}`);
}

const units = (): string[] => globSync(join(live, "**", "terragrunt.hcl")).toSorted();

const wrong: readonly (readonly [string, RegExp, string, RegExp])[] = [
  ["an input that no variable takes", /database_replica\b/, "database_replicas", /environment.hcl lacks/],
  ["a required input forgotten", /\n {2}multi_az +=.*/, "", /does not set multi_az/],
  ["an output that nobody has", /outputs\.vpc_id/, "outputs.vpc", /no such output/],
  ["a dependency on nothing", /"\.\.\/vpc"/, '"../network"', /does not exist/],
  ["dev's secret in prod", /chirrup\/prod\//, "chirrup/dev/", /another environment/],
];

export const unitChecks: readonly InfraCheck[] = [
  {
    name: "terragrunt: units",
    quick: true,
    run: () => {
      const files = units();
      const of = (environment: string): string =>
        files
          .map((file) => relative(live, file))
          .filter((path) => path.startsWith(`${environment}/`))
          .map((path) => path.slice(environment.length))
          .join();
      const faults = files.flatMap((file) => unitFaults(file, readFileSync(file, "utf8")));
      if (of("dev") !== of("prod")) faults.push("dev and prod do not have the same units");
      return {
        checked: files.length,
        unit: "units",
        faults,
        left: ["Terragrunt's own rendering: its program is on no registry that this command installs from"],
      };
    },
  },
  {
    name: "terragrunt: seeded faults",
    quick: true,
    run: () => {
      const file = units().find((path) => path.includes("prod") && path.includes("rds-post")) ?? "";
      const text = readFileSync(file, "utf8");
      return {
        checked: wrong.length,
        unit: "seeded faults",
        faults: wrong
          .filter(([, from, to, complaint]) => {
            const spoiled = text.replace(from, to);
            return !unitFaults(file, spoiled).some((fault) => complaint.test(fault));
          })
          .map(([name]) => `${name}: was not found`),
      };
    },
  },
];
