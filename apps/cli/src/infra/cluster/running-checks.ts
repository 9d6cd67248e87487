import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Findings, InfraCheck } from "../check.ts";
import {
  at,
  environments,
  type KubeObject,
  listAt,
  render,
  serviceOf,
  textAt,
} from "../kubernetes/objects.ts";
import { waveOf } from "../kubernetes/policies.ts";
import { type ApiServer, installDefinitions, until } from "./api-server.ts";
import { apply } from "./apply.ts";
import { startCluster } from "./running-cluster.ts";

const inChirrup = ["--namespace=chirrup"];

/** The objects of a kind in our namespace, as the cluster has them now. */
function live(server: ApiServer, kind: string): KubeObject[] {
  const { ok, stdout, output } = server.kubectl(["get", kind, ...inChirrup, "--output=json"]);
  if (!ok) throw new Error(output);
  return listAt(JSON.parse(stdout), "items") as KubeObject[];
}

const podsOf = (server: ApiServer, service: string): KubeObject[] =>
  live(server, "pods").filter((pod) => serviceOf(pod) === service);
const isReady = (pod: KubeObject): boolean =>
  listAt(pod, "status", "conditions").some(
    (condition) => at(condition, "type") === "Ready" && at(condition, "status") === "True",
  );

/** Applies one wave after the other, as Argo CD does, and waits for what each brings. */
function deploy(server: ApiServer, objects: readonly KubeObject[]): string[] {
  const faults: string[] = [];
  // The namespace before what is in it.
  const order = [
    objects.filter(({ kind }) => kind === "Namespace"),
    ...[...new Set(objects.map(waveOf))]
      .toSorted((a, b) => a - b)
      .map((wave) => objects.filter((object) => object.kind !== "Namespace" && waveOf(object) === wave)),
  ];
  for (const wave of order) {
    faults.push(...apply(server, wave));
    const waits: [string, readonly string[]][] = [
      ["Job", ["wait", "--for=condition=Complete", "--timeout=120s"]],
      ["Deployment", ["rollout", "status", "--timeout=120s"]],
    ];
    for (const [kind, wait] of waits)
      for (const { metadata } of wave.filter((object) => object.kind === kind)) {
        const { ok, output } = server.kubectl([...wait, `${kind}/${metadata.name}`, ...inChirrup]);
        if (!ok) faults.push(`${kind}/${metadata.name}: ${output.slice(-300)}`);
      }
  }
  return faults;
}

/** Waits until an autoscaler's service has its least of pods; then what is wrong with it. */
async function serviceFaults(server: ApiServer, autoscaler: KubeObject): Promise<string[]> {
  const wanted = leastOf(autoscaler);
  try {
    await until(
      `${serviceOf(autoscaler)} has ${wanted} ready pods`,
      () => podsOf(server, serviceOf(autoscaler)).filter(isReady).length === wanted,
    );
    return standingFaults(server, autoscaler);
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

const leastOf = (autoscaler: KubeObject): number => Number(at(autoscaler, "spec", "minReplicas"));

/** Of a service that has its pods: whether they are spread, all behind its name, and not all to be evicted at once. */
function standingFaults(server: ApiServer, autoscaler: KubeObject): string[] {
  const name = textAt(autoscaler, "spec", "scaleTargetRef", "name");
  const wanted = leastOf(autoscaler);
  const nodes = new Set(podsOf(server, serviceOf(autoscaler)).map((pod) => textAt(pod, "spec", "nodeName")));
  const behind = live(server, "endpointslices")
    .filter(({ metadata }) => metadata.labels?.["kubernetes.io/service-name"] === name)
    .flatMap((slice) => listAt(slice, "endpoints"))
    .filter((endpoint) => at(endpoint, "conditions", "ready") === true);
  const budget = live(server, "poddisruptionbudgets").find(({ metadata }) => metadata.name === name);
  const allowed = Number(at(budget, "status", "disruptionsAllowed"));
  return [
    nodes.size === Math.min(wanted, 3) ? [] : [`${name}: its ${wanted} pods are on ${nodes.size} nodes`],
    behind.length === wanted ? [] : [`${name}: its name resolves to ${behind.length} of ${wanted} pods`],
    allowed === 1 ? [] : [`${name}: ${allowed} of its pods may be evicted at once, not 1`],
  ].flat();
}

/** What must be found wrong with a service that stands. */
const wrong: readonly (readonly [name: string, kind: string, patch: unknown, complaint: RegExp])[] = [
  [
    "a budget that lets two pods go",
    "poddisruptionbudget",
    { spec: { maxUnavailable: 2 } },
    /2 of its pods may be evicted/,
  ],
  [
    "a name that resolves to nobody",
    "service",
    { spec: { selector: { "app.kubernetes.io/name": "nobody" } } },
    /resolves to 0 of/,
  ],
];

async function seeded(server: ApiServer, autoscaler: KubeObject): Promise<string[]> {
  const faults: string[] = [];
  for (const [name, kind, patch, complaint] of wrong) {
    const object = `${kind}/${textAt(autoscaler, "spec", "scaleTargetRef", "name")}`;
    server.kubectl(["patch", object, ...inChirrup, "--type=merge", `--patch=${JSON.stringify(patch)}`]);
    await until(`${name} is found`, () =>
      standingFaults(server, autoscaler).some((fault) => complaint.test(fault)),
    ).catch((error: unknown) => faults.push(String(error)));
  }
  return faults;
}

/** A Deployment whose pods break the namespace's level is taken, and gets none. */
async function unsafePods(server: ApiServer, objects: readonly KubeObject[]): Promise<string[]> {
  const right = objects.find(
    ({ kind, metadata }) => kind === "Deployment" && metadata.name === "post-service",
  );
  const wrong = structuredClone(right) as KubeObject;
  wrong.metadata.name = "unsafe";
  const pod = at(wrong, "spec", "template", "spec") as Record<string, unknown>;
  delete pod["securityContext"];
  apply(server, [wrong]);
  const refused = (): boolean =>
    listAt(
      live(server, "deployments").find(({ metadata }) => metadata.name === "unsafe"),
      "status",
      "conditions",
    ).some((condition) => textAt(condition, "message").includes('violates PodSecurity "restricted'));
  try {
    await until("the pods of an unsafe Deployment are refused", refused);
    return [];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  } finally {
    server.kubectl(["delete", "deployment", "unsafe", ...inChirrup, "--wait=true"]);
  }
}

/** Evicts two pods of a service at once: its budget lets one go. */
function evictions(server: ApiServer): string[] {
  const [first, second] = podsOf(server, "post").map(({ metadata }) => metadata.name);
  const evict = (name = ""): boolean => {
    const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name, namespace: "chirrup" } };
    const path = `/api/v1/namespaces/chirrup/pods/${name}/eviction`;
    return server.kubectl(["create", `--raw=${path}`, "--filename=-"], JSON.stringify(eviction)).ok;
  };
  // The nodes go: nobody takes the evicted pod's place.
  server.kubectl(["cordon", "--selector=kubernetes.io/os=linux"]);
  try {
    if (!evict(first)) return ["post-service: no pod of it may be evicted"];
    return evict(second) ? ["post-service: two of its pods were evicted at once"] : [];
  } finally {
    server.kubectl(["uncordon", "--selector=kubernetes.io/os=linux"]);
  }
}

async function check(): Promise<Findings> {
  const work = mkdtempSync(join(tmpdir(), "chirrup-running-"));
  const server = await startCluster(work);
  try {
    await installDefinitions(server);
    const faults: string[] = [];
    let checked = 0;
    for (const environment of environments) {
      const objects = render(`envs/${environment}`);
      const found = deploy(server, objects);
      const autoscalers = objects.filter(({ kind }) => kind === "HorizontalPodAutoscaler");
      for (const autoscaler of autoscalers) found.push(...(await serviceFaults(server, autoscaler)));
      found.push(...(await unsafePods(server, objects)));
      const spare = autoscalers.find((autoscaler) => serviceOf(autoscaler) === "user");
      if (environment === "prod" && spare !== undefined) {
        found.push(...evictions(server), ...(await seeded(server, spare)));
        checked += wrong.length;
      }
      faults.push(...found.map((fault) => `${environment}: ${fault}`));
      checked += live(server, "pods").length;
      server.kubectl(["delete", "namespace", "chirrup", "--wait=true", "--timeout=120s"]);
    }
    return {
      checked,
      unit: "pods of a running cluster",
      faults,
      left: [
        "containers, traffic and network policies: kwok plays the nodes, and there is no network plugin",
      ],
    };
  } finally {
    await server.stop();
    rmSync(work, { recursive: true, force: true });
  }
}

export const runningChecks: readonly InfraCheck[] = [{ name: "cluster: running", quick: false, run: check }];
