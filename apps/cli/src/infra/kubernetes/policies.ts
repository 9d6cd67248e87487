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

/** One rule: the faults that it finds in all that an environment applies. */
export type Policy = (objects: readonly KubeObject[], environment: Environment) => string[];

/** The faults of each object of some kinds. */
function each(kinds: readonly string[], faultsOf: (object: KubeObject) => (string | false)[]): Policy {
  return (objects) =>
    objects
      .filter(({ kind }) => kinds.includes(kind))
      .flatMap((object) =>
        faultsOf(object)
          .filter((fault) => fault !== false)
          .map((fault) => `${describe(object)} ${fault}`),
      );
}

const pod = (object: KubeObject): unknown => at(object, "spec", "template", "spec");
const containers = (object: KubeObject): unknown[] => [
  ...listAt(pod(object), "containers"),
  ...listAt(pod(object), "initContainers"),
];
const workloads = ["Deployment", "Job", "StatefulSet", "DaemonSet", "CronJob"];

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

const plainSecrets: Policy = (objects) => [
  ...objects
    .filter(({ kind }) => kind === "Secret")
    .map((object) => `${describe(object)} is in the repository`),
  ...objects
    .filter(({ kind }) => kind === "ConfigMap")
    .flatMap((object) =>
      Object.entries((object["data"] ?? {}) as Record<string, string>)
        .filter(
          ([key, value]) =>
            /(SECRET|PASSWORD|PRIVATE_KEY|_TOKEN)$/.test(key) || /:\/\/[^\s/:@]*:[^\s/@]+@/.test(value),
        )
        .map(([key]) => `${describe(object)} has a secret in clear: ${key}`),
    ),
  ...objects.filter(isWorkload).flatMap((object) =>
    containers(object).flatMap((container) =>
      listAt(container, "env")
        .filter(
          (entry) =>
            at(entry, "value") !== undefined && /(SECRET|PASSWORD|_URL)$/.test(textAt(entry, "name")),
        )
        .map((entry) => `${describe(object)} has a secret in clear: ${textAt(entry, "name")}`),
    ),
  ),
];

const ownSecrets: Policy = (objects, environment) =>
  each(["ExternalSecret"], (object) =>
    listAt(object, "spec", "data").map((entry) => {
      const key = textAt(entry, "remoteRef", "key");
      const [project, of, owner] = key.split("/");
      return (
        !(
          project === "chirrup" &&
          of === environment &&
          (owner === serviceOf(object) || owner === "platform")
        ) && `in ${environment} reads ${key}, which is not its own`
      );
    }),
  )(objects, environment);

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

const wave = ({ metadata }: KubeObject): number =>
  Number(metadata.annotations?.["argocd.argoproj.io/sync-wave"] ?? 0);

const waves: Policy = (objects) => {
  const latest = (kind: string): number => Math.max(...objects.filter((o) => o.kind === kind).map(wave), -9);
  const earliest = (kind: string): number => Math.min(...objects.filter((o) => o.kind === kind).map(wave), 9);
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

const mutualTls: Policy = (objects) => {
  const certificates = objects
    .filter(({ kind }) => kind === "Certificate")
    .map((object) => textAt(object, "spec", "secretName"));
  return each(["Deployment"], (object) => {
    const folder = settingsOf(object, objects)["PEER_TLS_DIR"];
    const mount = listAt(pod(object), "containers", 0, "volumeMounts").find(
      (candidate) => textAt(candidate, "mountPath") === folder,
    );
    const volume = listAt(pod(object), "volumes").find(
      (candidate) => textAt(candidate, "name") === textAt(mount, "name"),
    );
    return [
      folder === undefined
        ? "talks to the others in clear"
        : !certificates.includes(textAt(volume, "secret", "secretName")) && `has no certificate at ${folder}`,
    ];
  })(objects, "dev");
};

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
