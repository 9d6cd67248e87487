import {
  at,
  describe,
  type Environment,
  isWorkload,
  type KubeObject,
  listAt,
  serviceOf,
  textAt,
} from "./objects.ts";
import { containers, each, pod, type Policy, secretKeys, settingsOf, workloads } from "./policy.ts";
import { mutualTls, ownSecrets, plainSecrets } from "./secret-policies.ts";

const restricted = each(workloads, (object) => [
  at(pod(object), "securityContext", "runAsNonRoot") !== true && "may run as root",
  !(Number(at(pod(object), "securityContext", "runAsUser")) > 0) && "has no user id above 0",
  at(pod(object), "securityContext", "seccompProfile", "type") !== "RuntimeDefault" &&
    "has no seccomp profile",
  at(pod(object), "automountServiceAccountToken") !== false && "mounts a token of the Kubernetes API",
  at(pod(object), "hostNetwork") === true && "uses the node's network",
  ...listAt(pod(object), "volumes").map(
    (volume) => at(volume, "hostPath") !== undefined && "mounts the node",
  ),
  ...containers(object).flatMap((container) => [
    at(container, "securityContext", "allowPrivilegeEscalation") !== false && "may gain privileges",
    at(container, "securityContext", "privileged") === true && "is privileged",
    at(container, "securityContext", "readOnlyRootFilesystem") !== true &&
      "may write to its root file system",
    !listAt(container, "securityContext", "capabilities", "drop").includes("ALL") && "keeps capabilities",
  ]),
]);

const resources = each(workloads, (object) =>
  containers(object).flatMap((container) =>
    ["requests", "limits"].flatMap((side) =>
      ["cpu", "memory"].map(
        (what) => at(container, "resources", side, what) === undefined && `has no ${side} of ${what}`,
      ),
    ),
  ),
);

const images = each(workloads, (object) =>
  containers(object).map(
    (container) =>
      !/@sha256:[0-9a-f]{64}$/.test(textAt(container, "image")) &&
      `runs ${textAt(container, "image")}, which is not named by its digest`,
  ),
);

const probes = each(["Deployment"], (object) =>
  listAt(pod(object), "containers").flatMap((container) => [
    ...["startupProbe", "readinessProbe", "livenessProbe"].map(
      (probe) => at(container, probe) === undefined && `has no ${probe}`,
    ),
    textAt(container, "readinessProbe", "httpGet", "path") !== "/readyz" &&
      "is not ready by what it needs (/readyz)",
    textAt(container, "livenessProbe", "httpGet", "path") === "/readyz" &&
      "is restarted when a store is away: liveness must not ask /readyz",
  ]),
);

const drain: Policy = (objects) =>
  each(["Deployment"], (object) => {
    const grace = Number(at(pod(object), "terminationGracePeriodSeconds") ?? 30);
    const before = Number(at(pod(object), "containers", 0, "lifecycle", "preStop", "sleep", "seconds") ?? 0);
    const calls = Number(settingsOf(object, objects)["SHUTDOWN_GRACE_MS"] ?? 10_000) / 1000;
    return [
      before === 0 && "has no preStop: new calls reach it while it stops",
      grace <= before + calls &&
        `is killed after ${grace} s, before ${before} + ${calls} s of draining are over`,
    ];
  })(objects, "dev");

const references: Policy = (objects) => {
  const secrets = secretKeys(objects);
  const maps = new Set(
    objects.filter(({ kind }) => kind === "ConfigMap").map(({ metadata }) => metadata.name),
  );
  const accounts = new Set(
    objects.filter(({ kind }) => kind === "ServiceAccount").map(({ metadata }) => metadata.name),
  );
  return objects.filter(isWorkload).flatMap((object) => {
    const sources = containers(object).flatMap((container) => [
      ...listAt(container, "envFrom"),
      ...listAt(container, "env").map((entry) => ({
        secretRef: { name: at(entry, "valueFrom", "secretKeyRef", "name") },
      })),
    ]);
    const volumes = listAt(pod(object), "volumes");
    const mapNames = [
      ...sources.map((source) => textAt(source, "configMapRef", "name")),
      ...volumes.map((volume) => textAt(volume, "configMap", "name")),
    ].filter((name) => name !== "");
    const secretNames = [
      ...sources.map((source) => textAt(source, "secretRef", "name")),
      ...volumes.map((volume) => textAt(volume, "secret", "secretName")),
    ].filter((name) => name !== "");
    const account = textAt(pod(object), "serviceAccountName");
    return [
      ...mapNames
        .filter((name) => !maps.has(name))
        .map((name) => `needs ConfigMap ${name}, which nothing makes`),
      ...secretNames
        .filter((name) => !secrets.has(name))
        .map((name) => `needs Secret ${name}, which nothing makes`),
      ...(account !== "" && !accounts.has(account) ? [`runs as ${account}, which nothing makes`] : []),
    ].map((fault) => `${describe(object)} ${fault}`);
  });
};

const headless = each(["Service"], (object) => [
  listAt(object, "spec", "ports").some((port) => at(port, "name") === "grpc") &&
    at(object, "spec", "clusterIP") !== "None" &&
    "is not headless: each client's calls would all go to one pod",
  ["LoadBalancer", "NodePort"].includes(textAt(object, "spec", "type")) &&
    "is open to the world beside the edge",
]);

const companions: Policy = (objects) =>
  objects
    .filter(({ kind }) => kind === "Deployment")
    .flatMap((object) => {
      const name = serviceOf(object);
      const has = (kind: string, matches: (other: KubeObject) => boolean): boolean =>
        objects.some((other) => other.kind === kind && matches(other));
      const selects = (other: KubeObject): boolean =>
        at(other, "spec", "selector", "matchLabels", "app.kubernetes.io/name") === name;
      return [
        !has("Service", (other) => at(other, "spec", "selector", "app.kubernetes.io/name") === name) &&
          "has no Service",
        !has("PodDisruptionBudget", selects) && "has no PodDisruptionBudget",
        !has(
          "HorizontalPodAutoscaler",
          (other) => at(other, "spec", "scaleTargetRef", "name") === object.metadata.name,
        ) && "has no HorizontalPodAutoscaler",
        !has(
          "NetworkPolicy",
          (other) => at(other, "spec", "podSelector", "matchLabels", "app.kubernetes.io/name") === name,
        ) && "has no NetworkPolicy",
        listAt(pod(object), "topologySpreadConstraints").length < 2 && "is not spread over zones and nodes",
      ]
        .filter((fault) => fault !== false)
        .map((fault) => `${describe(object)} ${fault}`);
    });

const closedNetwork: Policy = (objects) => {
  const denied = objects.some(
    (object) =>
      object.kind === "NetworkPolicy" &&
      Object.keys(at(object, "spec", "podSelector") ?? { absent: true }).length === 0 &&
      at(object, "spec", "ingress") === undefined &&
      at(object, "spec", "egress") === undefined &&
      listAt(object, "spec", "policyTypes").length === 2,
  );
  const open = each(["NetworkPolicy"], (object) =>
    [...listAt(object, "spec", "ingress"), ...listAt(object, "spec", "egress")].flatMap((rule) => {
      const peers = [...listAt(rule, "from"), ...listAt(rule, "to")];
      return [
        peers.length === 0 && "lets everybody in or out",
        listAt(rule, "ports").length === 0 && "opens every port",
        peers.some((peer) => textAt(peer, "ipBlock", "cidr").endsWith("/0")) && "opens the whole internet",
      ];
    }),
  )(objects, "dev");
  return denied ? open : ["no policy denies what no other allows", ...open];
};

const replicas: Policy = (objects, environment) =>
  environment === "dev"
    ? []
    : each(["HorizontalPodAutoscaler"], (object) => [
        Number(at(object, "spec", "minReplicas") ?? 1) < 3 &&
          "has fewer than one pod for each of three zones",
      ])(objects, environment);

/** When Argo CD applies an object: the lower the earlier. */
export const waveOf = ({ metadata }: KubeObject): number =>
  Number(metadata.annotations?.["argocd.argoproj.io/sync-wave"] ?? 0);

const waves: Policy = (objects) => {
  const latest = (kind: string): number =>
    Math.max(...objects.filter((o) => o.kind === kind).map(waveOf), -9);
  const earliest = (kind: string): number =>
    Math.min(...objects.filter((o) => o.kind === kind).map(waveOf), 9);
  return [
    latest("ExternalSecret") >= earliest("Job") && "migrations start before their secrets are there",
    latest("Job") >= earliest("Deployment") && "services start before their migrations are done",
    latest("Certificate") > earliest("Deployment") && "services start before their certificates are there",
    objects.some(
      (object) =>
        object.kind === "Job" && object.metadata.annotations?.["argocd.argoproj.io/hook"] !== "Sync",
    ) && "a migration is no hook of the Sync phase: a first deployment would wait for itself",
  ].filter((fault) => fault !== false);
};

const namespaced: Policy = (objects) => [
  ...objects
    .filter(({ kind, metadata }) => kind !== "Namespace" && metadata.namespace !== "chirrup")
    .map((object) => `${describe(object)} is in no namespace of ours`),
  ...objects
    .filter(({ kind }) => kind === "Namespace")
    .filter(({ metadata }) => metadata.labels?.["pod-security.kubernetes.io/enforce"] !== "restricted")
    .map((object) => `${describe(object)} does not enforce restricted pods`),
];

const filledIn: Policy = (objects) =>
  objects
    .filter((object) => JSON.stringify(object).includes("site.invalid"))
    .map((object) => `${describe(object)} still has a name that the environment should have filled in`);

/** All rules, by their names. */
export const policies: Readonly<Record<string, Policy>> = {
  restricted,
  resources,
  images,
  probes,
  drain,
  references,
  plainSecrets,
  ownSecrets,
  headless,
  companions,
  closedNetwork,
  replicas,
  waves,
  namespaced,
  filledIn,
  mutualTls,
};

/** The faults of all rules, each with its rule's name. */
export function judge(objects: readonly KubeObject[], environment: Environment): string[] {
  return Object.entries(policies).flatMap(([name, policy]) =>
    policy(objects, environment).map((fault) => `${environment}: ${fault} [${name}]`),
  );
}
