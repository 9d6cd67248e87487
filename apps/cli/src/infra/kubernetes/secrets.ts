import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "../../launcher/paths.ts";
import { at, describe, type KubeObject, listAt, textAt } from "./objects.ts";

const infra = join(repositoryRoot, "infra");

const listed = (text: string): string[] => [...text.matchAll(/"([^"]+)"/g)].map(([, name = ""]) => name);

/** What a module says of the secrets that one of its variables names; none when it makes none by it. */
function propertiesOf(module: string, variable: string): string[] {
  return globSync(join(infra, "terraform", "modules", module, "*.tf")).flatMap((file) =>
    [...readFileSync(file, "utf8").matchAll(/^resource "aws_secretsmanager_secret" [\s\S]*?\n\}/gm)].flatMap(
      ([block]) =>
        new RegExp(`var\\.${variable}\\b`).test(block)
          ? (/"Properties: ([a-z_, ]+)"/.exec(block)?.[1]?.split(", ") ?? [])
          : [],
    ),
  );
}

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
    const module = /\/modules\/([\w-]+)"/.exec(text)?.[1] ?? "";
    const inputs = /^inputs = \{\n([\s\S]*?)\n\}/m.exec(text)?.[1] ?? "";
    const byModule = inputs.split(/^(?= {2}\w+ +=)/m).flatMap((input) => {
      const properties = propertiesOf(module, /\w+/.exec(input)?.[0] ?? "");
      return listed(input)
        .filter((name) => name.includes("chirrup/${local.environment.name}/"))
        .flatMap((name) =>
          properties.map(
            (property) => `${name.replace("${local.environment.name}", environment)}#${property}`,
          ),
        );
    });
    return [...byHand, ...byModule];
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
