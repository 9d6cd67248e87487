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

/** The names that site.env fills in. */
const siteLines = (): string[] =>
  [...readFileSync(join(infra, "site", "site.env"), "utf8").matchAll(/^([A-Z_]+)=/gm)].map(
    ([, name = ""]) => name,
  );

const moduleOf = (text: string): string => /\/modules\/([\w-]+)"/.exec(text)?.[1] ?? "";

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
    ...[...text.matchAll(/locals\.site\["([^"]+)"\]/g)]
      .map(([, name = ""]) =>
        name.replace("${include.root.locals.prefix}", (here.split("/")[0] ?? "").toUpperCase()),
      )
      .filter((name) => !siteLines().includes(name))
      .map((name) => `reads ${name}, which site.env lacks`),
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
  ["dev's secret in prod", /chirrup\/\$\{local.environment.name\}\//, "chirrup/dev/", /another environment/],
  [
    "a site's line that is not there",
    /\$\{include\.root\.locals\.prefix\}_NETWORK/,
    "PROD_NETWORKS",
    /PROD_NETWORKS, which site.env lacks/,
  ],
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
      for (const file of files.filter((path) => path.includes("/dev/"))) {
        const twin = file.replace("/dev/", "/prod/");
        if (existsSync(twin) && readFileSync(file, "utf8") !== readFileSync(twin, "utf8"))
          faults.push(
            `${relative(live, file)} differs from prod's: what differs belongs into environment.hcl`,
          );
      }
      return { checked: files.length, unit: "units", faults };
    },
  },
  {
    name: "terragrunt: seeded faults",
    quick: true,
    run: () => {
      const files = units().filter((path) => path.includes("/live/prod/"));
      return {
        checked: wrong.length,
        unit: "seeded faults",
        faults: wrong
          .filter(([, from, to, complaint]) => {
            const file = files.find((path) => from.test(readFileSync(path, "utf8")));
            if (file === undefined) return true;
            const spoiled = readFileSync(file, "utf8").replace(from, to);
            return !unitFaults(file, spoiled).some((fault) => complaint.test(fault));
          })
          .map(([name]) => `${name}: was not found`),
      };
    },
  },
];
