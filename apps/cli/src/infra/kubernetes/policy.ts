import { at, describe, type Environment, type KubeObject, listAt, textAt } from "./objects.ts";

/** One rule: the faults that it finds in all that an environment applies. */
export type Policy = (objects: readonly KubeObject[], environment: Environment) => string[];

/** The faults of each object of some kinds. */
export function each(kinds: readonly string[], faultsOf: (object: KubeObject) => (string | false)[]): Policy {
  return (objects) =>
    objects
      .filter(({ kind }) => kinds.includes(kind))
      .flatMap((object) =>
        faultsOf(object)
          .filter((fault) => fault !== false)
          .map((fault) => `${describe(object)} ${fault}`),
      );
}

export const pod = (object: KubeObject): unknown => at(object, "spec", "template", "spec");
export const containers = (object: KubeObject): unknown[] => [
  ...listAt(pod(object), "containers"),
  ...listAt(pod(object), "initContainers"),
];
export const workloads: readonly string[] = ["Deployment", "Job", "StatefulSet", "DaemonSet", "CronJob"];

/** The literal settings that a Deployment's only container gets. */
export function settingsOf(object: KubeObject, objects: readonly KubeObject[]): Record<string, string> {
  return Object.assign(
    {},
    ...listAt(pod(object), "containers", 0, "envFrom").map((source) => {
      const name = textAt(source, "configMapRef", "name");
      return (
        objects.find(({ kind, metadata }) => kind === "ConfigMap" && metadata.name === name)?.["data"] ?? {}
      );
    }),
  ) as Record<string, string>;
}

/** The keys of the Secrets that External Secrets and cert-manager make, by the Secrets' names. */
export function secretKeys(objects: readonly KubeObject[]): Map<string, string[]> {
  return new Map(
    objects.flatMap((object): [string, string[]][] => {
      if (object.kind === "ExternalSecret")
        return [
          [
            textAt(object, "spec", "target", "name"),
            Object.keys(at(object, "spec", "target", "template", "data") ?? {}),
          ],
        ];
      if (object.kind === "Certificate")
        return [[textAt(object, "spec", "secretName"), ["tls.crt", "tls.key", "ca.crt"]]];
      return [];
    }),
  );
}

/**
 * The values that External Secrets would put into the settings of a Deployment: the templates with values of the
 * right kind in their places.
 */
export function valuesOfSecrets(object: KubeObject, objects: readonly KubeObject[]): Record<string, string> {
  const names = listAt(pod(object), "containers", 0, "envFrom").map((source) =>
    textAt(source, "secretRef", "name"),
  );
  const templates = objects
    .filter(
      (other) => other.kind === "ExternalSecret" && names.includes(textAt(other, "spec", "target", "name")),
    )
    .flatMap((other) => Object.entries(at(other, "spec", "target", "template", "data") ?? {}));
  return Object.fromEntries(
    templates.map(([name, template]) => [
      name,
      String(template).replaceAll(/\{\{ \.(\w+)[^}]*\}\}/g, (_, key: string) => sampleOf(key)),
    ]),
  );
}

function sampleOf(key: string): string {
  if (/port$/i.test(key)) return "5432";
  if (/host$/i.test(key)) return "store.internal";
  if (/brokers$/i.test(key)) return "b-1.internal:9096,b-2.internal:9096,b-3.internal:9096";
  return key === "MAIL_URL" ? "smtps://name:word@mail.internal:465" : "0".repeat(64);
}
