import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { repositoryRoot } from "../../launcher/paths.ts";
import type { InfraCheck } from "../check.ts";
import { at, environments, type KubeObject, listAt, render, textAt } from "./objects.ts";

const addons = join(repositoryRoot, "infra", "argocd", "addons");

/** What Argo CD would follow and is not there, or would not follow and should. */
export function deliveryFaults(environment: string, objects: readonly KubeObject[]): string[] {
  const set = (name: string): KubeObject | undefined =>
    objects.find(({ kind, metadata }) => kind === "ApplicationSet" && metadata.name === name);
  const paths = listAt(set("platform"), "spec", "generators", 0, "list", "elements").map((element) =>
    textAt(element, "path"),
  );
  const wanted = [`infra/argocd/cluster/${environment}`, `infra/k8s/envs/${environment}`];
  const projects = objects.filter(({ kind }) => kind === "AppProject");
  const sources = listAt(
    projects.find(({ metadata }) => metadata.name === "add-ons"),
    "spec",
    "sourceRepos",
  );
  const charts = globSync(join(addons, "*", "addon.yaml")).map(
    (file) => parse(readFileSync(file, "utf8")) as unknown,
  );
  return [
    ...wanted.filter((path) => !paths.includes(path)).map((path) => `misses ${path}`),
    ...paths
      .filter((path) => !existsSync(join(repositoryRoot, path, "kustomization.yaml")))
      .map((path) => `follows ${path}, which does not exist`),
    ...paths.filter((path) => !wanted.includes(path)).map((path) => `follows ${path}, which is not its own`),
    ...charts
      .filter((chart) => !sources.includes(textAt(chart, "chart", "repository")))
      .map((chart) => `may not install ${textAt(chart, "name")}: its repository is in no project`),
    ...charts
      .filter((chart) => !/^v?\d+\.\d+\.\d+$/.test(String(at(chart, "chart", "version"))))
      .map((chart) => `${textAt(chart, "name")} has no exact version`),
  ].map((fault) => `argocd ${environment}: ${fault}`);
}

export const deliveryChecks: readonly InfraCheck[] = [
  {
    name: "argocd: what is followed",
    quick: true,
    run: () => ({
      checked: environments.length,
      unit: "environments",
      faults: environments.flatMap((name) => deliveryFaults(name, render(`../argocd/envs/${name}`))),
    }),
  },
  {
    name: "argocd: seeded faults",
    quick: true,
    run: () => {
      const objects = render("../argocd/envs/prod");
      const set = objects.find(({ metadata }) => metadata.name === "platform");
      const elements = listAt(set, "spec", "generators", 0, "list", "elements");
      elements.pop();
      const found = deliveryFaults("prod", objects).some((fault) =>
        fault.includes("misses infra/k8s/envs/prod"),
      );
      return {
        checked: 1,
        unit: "seeded faults",
        faults: found ? [] : ["an ApplicationSet that misses an environment: was not found"],
      };
    },
  },
];
