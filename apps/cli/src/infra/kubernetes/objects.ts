import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { repositoryRoot } from "../../launcher/paths.ts";
import { goTool, run } from "../tools.ts";

/** A Kubernetes object as far as the policies look into it. Each may lack whatever a person forgot. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
  // The parts differ by kind; `at` reads them.
  [part: string]: unknown;
}

export const environments = ["dev", "prod"] as const;
export type Environment = (typeof environments)[number];

const manifests = join(repositoryRoot, "infra", "k8s");

/** Kustomize's output for a folder under infra/k8s, or of any folder given by its full path. */
export function render(folder: string): KubeObject[] {
  const kustomize = goTool("kustomize", "sigs.k8s.io/kustomize/kustomize/v5", "v5.8.2");
  const { ok, stdout, output } = run(kustomize, ["build", folder], { cwd: manifests });
  if (!ok) throw new Error(output);
  return parseObjects(stdout);
}

export function parseObjects(text: string): KubeObject[] {
  return parseAllDocuments(text)
    .map((document) => document.toJS() as KubeObject | null)
    .filter((object) => object !== null);
}

/** What is at a path of names and indices, or undefined. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let here = value;
  for (const step of path) {
    if (typeof here !== "object" || here === null) return undefined;
    here = (here as Record<string | number, unknown>)[step];
  }
  return here;
}

/** The list at a path; empty when there is none. */
export function listAt(value: unknown, ...path: readonly (string | number)[]): unknown[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? (found as unknown[]) : [];
}

/** The text at a path; empty when there is none. */
export function textAt(value: unknown, ...path: readonly (string | number)[]): string {
  const found = at(value, ...path);
  return typeof found === "string" ? found : "";
}

export const describe = ({ kind, metadata }: KubeObject): string => `${kind}/${metadata.name}`;
export const isWorkload = ({ kind }: KubeObject): boolean => ["Deployment", "Job"].includes(kind);
export const serviceOf = ({ metadata }: KubeObject): string =>
  metadata.labels?.["app.kubernetes.io/name"] ?? "";
