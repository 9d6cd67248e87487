import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { repositoryRoot } from "../../launcher/paths.ts";
import { at, describe, type KubeObject, listAt, serviceOf, textAt } from "./objects.ts";
import { settingsOf, valuesOfSecrets } from "./policy.ts";

interface Field {
  safeParse(value: unknown): {
    success: boolean;
    error?: { issues: { message: string; path?: PropertyKey[] }[] };
  };
}

/** The variables that a service's config.ts reads. */
export type Settings = Readonly<Record<string, Field>>;

/** Rules that span several variables, by service. */
const together = new Map<string, Field>();

/** Read from the service's own code, so that the manifests cannot drift from it. */
export async function settingsRead(service: string): Promise<Settings> {
  const file = join(repositoryRoot, "services", service, "src", "config.ts");
  const { configSchema } = (await import(pathToFileURL(file).href)) as {
    configSchema: Field & { shape: Settings };
  };
  together.set(service, configSchema);
  return configSchema.shape;
}

/** The variables that the gateway's file names, beside those of its config.ts. */
export function namedByGatewayFile(): string[] {
  const file = join(repositoryRoot, "services", "gateway", "config", "gateway.production.yaml");
  return [...readFileSync(file, "utf8").matchAll(/\$\{([A-Z_]+)\}/g)].map(([, name]) => name ?? "");
}

/**
 * Compares what a Deployment sets with what its service reads: every variable that has no default is set, every
 * variable that is set is read, every literal value is one that the service takes, and the addresses that a
 * service is given are those that the network lets it call.
 */
export function compareSettings(
  object: KubeObject,
  objects: readonly KubeObject[],
  read: Settings,
  alsoRead: readonly string[] = [],
): string[] {
  const literal = settingsOf(object, objects);
  const secret = valuesOfSecrets(object, objects);
  const fromSecrets = Object.keys(secret);
  const set = new Set([...Object.keys(literal), ...fromSecrets]);
  const service = serviceOf(object);
  return [
    ...Object.entries(read)
      .filter(([name, field]) => !set.has(name) && !field.safeParse(undefined).success)
      .map(([name]) => `is not given ${name}`),
    ...alsoRead.filter((name) => !set.has(name)).map((name) => `is not given ${name}, which its file names`),
    ...[...set]
      .filter((name) => !(name in read) && !alsoRead.includes(name))
      .map((name) => `is given ${name}, which it does not read`),
    ...Object.keys(literal)
      .filter((name) => fromSecrets.includes(name))
      .map((name) => `is given ${name} twice`),
    ...Object.entries({ ...secret, ...literal }).flatMap(([name, value]) =>
      (read[name]?.safeParse(value).error?.issues ?? []).map(
        ({ message }) => `is given ${name}, which ${message}`,
      ),
    ),
    ...(
      together
        .get(service)
        ?.safeParse({ ...secret, ...literal })
        .error?.issues.filter(({ message }) => !message.startsWith("Invalid input")) ?? []
    ).map(
      ({ message, path = [] }) => `is given settings that do not go together: ${path.join(".")} ${message}`,
    ),
    ...Object.keys(literal)
      .filter((name) => name.endsWith("_SERVICE"))
      .map((name) => name.slice(0, -"_SERVICE".length).toLowerCase())
      .filter((callee) => !mayCall(service, callee, objects))
      .map((callee) => `calls ${callee}, which the network policies do not allow`),
  ].map((fault) => `${describe(object)} ${fault}`);
}

/** Whether the policies let pods of one service open another's gRPC port, on both ends. */
function mayCall(caller: string, callee: string, objects: readonly KubeObject[]): boolean {
  const names = (peer: unknown): unknown => at(peer, "podSelector", "matchLabels", "app.kubernetes.io/name");
  const of = (service: string): KubeObject[] =>
    objects.filter(
      (object) =>
        object.kind === "NetworkPolicy" &&
        at(object, "spec", "podSelector", "matchLabels", "app.kubernetes.io/name") === service,
    );
  const allows = (
    policies: readonly KubeObject[],
    direction: "ingress" | "egress",
    side: "from" | "to",
    other: string,
    port: unknown,
  ): boolean =>
    policies.some((policy) =>
      listAt(policy, "spec", direction).some(
        (rule) =>
          listAt(rule, side).some((peer) => names(peer) === other) &&
          listAt(rule, "ports").some((entry) => at(entry, "port") === port),
      ),
    );
  return (
    allows(of(caller), "egress", "to", callee, 5001) && allows(of(callee), "ingress", "from", caller, "grpc")
  );
}

/** The variables that a migration's Job sets and the service's settings do not know. */
export function strayMigrationSettings(object: KubeObject, read: Settings): string[] {
  return listAt(object, "spec", "template", "spec", "containers", 0, "env")
    .map((entry) => textAt(entry, "name"))
    .filter((name) => !(name in read))
    .map((name) => `${describe(object)} is given ${name}, which it does not read`);
}
