import { existsSync, globSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { repositoryRoot } from "../../launcher/paths.ts";
import { at, describe, type KubeObject, listAt, textAt } from "./objects.ts";

const infra = join(repositoryRoot, "infra");

const listed = (text: string): string[] => [...text.matchAll(/"([^"]+)"/g)].map(([, name = ""]) => name);

/**
 * The secrets that the units of an environment make places for, each as "name#property". The modules say a secret's
 * properties in its description, and the unit of the secrets that people make in its inputs.
 */
export function secretsMade(environment: string): string[] {
  const units = globSync(join(infra, "terragrunt", "live", environment, "*", "*", "terragrunt.hcl"));
  return units.flatMap((file) => {
    const text = readFileSync(file, "utf8");
    const byHand = [...text.matchAll(/^ {4}"([a-z]+\/[a-z]+)" += \[(.*)\]$/gm)].flatMap(
      ([, name = "", properties = ""]) =>
        listed(properties).map((property) => `chirrup/${environment}/${name}#${property}`),
    );
    const module = basename(/\/\/(modules\/[\w-]+)"/.exec(text)?.[1] ?? "");
    const name = /^ {2}secret_name += "([^"]+)"/m.exec(text)?.[1] ?? "";
    const main = join(infra, "terraform", "modules", module, "main.tf");
    const properties = existsSync(main)
      ? (/"Properties: ([a-z_, ]+)"/.exec(readFileSync(main, "utf8"))?.[1] ?? "")
      : "";
    const full = name.replace("${local.environment.name}", environment);
    if (name !== "" && properties === "")
      throw new Error(`${dirname(file)}: its secret's properties are unsaid`);
    return [
      ...byHand,
      ...(name === "" ? [] : properties.split(", ").map((property) => `${full}#${property}`)),
    ];
  });
}

/** What an ExternalSecret reads and no unit makes, and what a unit makes and no ExternalSecret reads. */
export function compareSecrets(
  objects: readonly KubeObject[],
  environment: string,
  made: readonly string[] = secretsMade(environment),
): string[] {
  const external = objects.filter(({ kind }) => kind === "ExternalSecret");
  const read = external.flatMap((object) =>
    listAt(object, "spec", "data").map((entry) => ({
      by: describe(object),
      what: `${textAt(entry, "remoteRef", "key")}#${String(at(entry, "remoteRef", "property"))}`,
    })),
  );
  return [
    ...read
      .filter(({ what }) => !made.includes(what))
      .map(({ by, what }) => `${by} reads ${what}, which no unit makes`),
    ...made
      .filter((what) => !read.some((entry) => entry.what === what))
      .map((what) => `${what} is made and read by nobody`),
  ];
}
