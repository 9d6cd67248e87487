import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Findings, InfraCheck } from "../check.ts";
import { at, environments, type KubeObject, listAt, render } from "../kubernetes/objects.ts";
import { isRendered, readAddons, renderAddon } from "../charts/render.ts";
import { type ApiServer, installDefinitions, startApiServer } from "./api-server.ts";
import { apply } from "./apply.ts";

/** What is applied: each environment, the other edge, and what Argo CD is given. */
const folders = [
  ...environments.map((environment) => `envs/${environment}`),
  "checks/ingress-nginx",
  "checks/feed-by-lag",
  ...environments.map((environment) => `../argocd/envs/${environment}`),
  ...environments.map((environment) => `../argocd/cluster/${environment}`),
];

interface WrongObject {
  readonly name: string;
  readonly kind: string;
  readonly complaint: RegExp;
  spoil(object: KubeObject): void;
}

type Part = Record<string, unknown>;

const wrongObjects: readonly WrongObject[] = [
  {
    name: "a field that does not exist",
    kind: "Deployment",
    complaint: /unknown|not declared/i,
    spoil: (object) => ((object["spec"] as Part)["replica"] = 3),
  },
  {
    name: "a port without a number or name",
    kind: "Service",
    complaint: /port/,
    spoil: (object) => ((listAt(object, "spec", "ports")[0] as Part)["port"] = 70_000),
  },
  {
    name: "a route to nowhere",
    kind: "HTTPRoute",
    complaint: /path|value/i,
    spoil: (object) =>
      (((at(object, "spec", "rules", 0, "matches", 0, "path") as Part | undefined) ?? {})["value"] =
        "no slash"),
  },
  {
    name: "a certificate without an issuer",
    kind: "Certificate",
    complaint: /issuerRef/,
    spoil: (object) => delete (object["spec"] as Part)["issuerRef"],
  },
  {
    name: "a secret without a store's kind",
    kind: "ExternalSecret",
    complaint: /kind/,
    spoil: (object) => ((at(object, "spec", "secretStoreRef") as Part)["kind"] = "Vault"),
  },
  {
    name: "an autoscaler without a trigger",
    kind: "ScaledObject",
    complaint: /triggers/,
    spoil: (object) => delete (object["spec"] as Part)["triggers"],
  },
  {
    name: "a pod that may gain privileges",
    kind: "Pod",
    complaint: /violates PodSecurity "restricted/,
    spoil: (object) => delete (at(object, "spec", "containers", 0) as Part)["securityContext"],
  },
];

/** The pods that the workloads would make: the API server judges a pod by its namespace's level, a Deployment not. */
function podsOf(objects: readonly KubeObject[]): KubeObject[] {
  return objects
    .filter(({ kind }) => kind === "Deployment" || kind === "Job")
    .map((object) => ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: object.metadata.name, namespace: object.metadata.namespace ?? "default" },
      spec: at(object, "spec", "template", "spec"),
    }));
}

function applyAll(server: ApiServer, objects: readonly KubeObject[]): string[] {
  return [
    ...apply(
      server,
      objects.filter(({ kind }) => kind === "Namespace"),
    ),
    ...apply(
      server,
      objects.filter(({ kind }) => kind !== "Namespace"),
    ),
    ...apply(server, podsOf(objects), "--dry-run=server"),
  ];
}

function seeded(server: ApiServer, objects: readonly KubeObject[]): string[] {
  return wrongObjects.flatMap(({ name, kind, complaint, spoil }) => {
    const right = [...objects, ...podsOf(objects)].find((object) => object.kind === kind);
    if (right === undefined) return [`${name}: there is no ${kind} to spoil`];
    const wrong = structuredClone(right);
    spoil(wrong);
    const said = apply(server, [wrong], "--dry-run=server").join(" ");
    return complaint.test(said) ? [] : [`${name}: was not refused (${said})`];
  });
}

async function check(): Promise<Findings> {
  const work = mkdtempSync(join(tmpdir(), "chirrup-cluster-"));
  const server = await startApiServer(work);
  try {
    await installDefinitions(server);
    const faults: string[] = [];
    let checked = 0;
    // Made by Argo CD with the add-ons that live in them.
    for (const name of ["argocd", "envoy-gateway-system"]) server.kubectl(["create", "namespace", name]);
    for (const folder of folders) {
      const objects = render(folder);
      checked += objects.length;
      faults.push(...applyAll(server, objects).map((fault) => `${folder}: ${fault}`));
      // A Job cannot be changed; Argo CD deletes a hook before it makes it again.
      server.kubectl([
        "delete",
        "jobs",
        "--all",
        "--namespace=chirrup",
        "--cascade=background",
        "--wait=false",
      ]);
    }
    for (const addon of readAddons().filter((candidate) => isRendered(candidate))) {
      const { objects } = renderAddon(addon, join(work, "charts"));
      checked += objects.length;
      server.kubectl(["create", "namespace", addon.namespace]);
      // Nothing of them is kept: their webhooks would be asked about all that follows, and nobody would answer.
      const said = apply(server, objects, "--dry-run=server");
      faults.push(...said.map((fault) => `${addon.name}: ${fault}`));
    }
    checked += wrongObjects.length;
    faults.push(...seeded(server, [...render("envs/prod"), ...render("checks/feed-by-lag")]));
    return { checked, unit: "objects taken by an API server", faults };
  } finally {
    await server.stop();
    rmSync(work, { recursive: true, force: true });
  }
}

export const clusterChecks: readonly InfraCheck[] = [
  { name: "cluster: applied to Kubernetes", quick: false, run: check },
];
