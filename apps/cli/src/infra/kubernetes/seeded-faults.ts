import { at, type KubeObject, listAt } from "./objects.ts";

/** A wrong artefact made from the right ones, and a word of the complaint that must follow. */
export interface SeededFault {
  readonly name: string;
  readonly complaint: RegExp;
  spoil(objects: KubeObject[]): void;
}

// What the faults are put into was just rendered and is known to have these parts.
type Part = Record<string, unknown>;
const find = (objects: readonly KubeObject[], kind: string, name: string): KubeObject => {
  const found = objects.find((object) => object.kind === kind && object.metadata.name === name);
  if (found === undefined) throw new Error(`there is no ${kind}/${name} to spoil`);
  return found;
};
const part = (value: unknown, ...path: (string | number)[]): Part => at(value, ...path) as Part;
const podOf = (objects: readonly KubeObject[], service: string): Part =>
  part(find(objects, "Deployment", `${service}-service`), "spec", "template", "spec");
const containerOf = (objects: readonly KubeObject[], service: string): Part =>
  part(podOf(objects, service), "containers", 0);
const settingsOf = (objects: readonly KubeObject[], service: string): Part => {
  const found = objects.find(
    ({ kind, metadata }) => kind === "ConfigMap" && metadata.name.startsWith(`${service}-settings`),
  );
  return part(found, "data");
};
const remove = (objects: KubeObject[], kind: string, name: string): void => {
  objects.splice(objects.indexOf(find(objects, kind, name)), 1);
};

export const policyFaults: readonly SeededFault[] = [
  {
    name: "a container as root",
    complaint: /restricted/,
    spoil: (o) => (part(podOf(o, "post"), "securityContext")["runAsNonRoot"] = false),
  },
  {
    name: "a writable root file system",
    complaint: /restricted/,
    spoil: (o) => (part(containerOf(o, "post"), "securityContext")["readOnlyRootFilesystem"] = false),
  },
  {
    name: "the API's token in a pod",
    complaint: /restricted/,
    spoil: (o) => delete podOf(o, "feed")["automountServiceAccountToken"],
  },
  {
    name: "no limit of memory",
    complaint: /limits of memory.*resources/,
    spoil: (o) => delete part(containerOf(o, "feed"), "resources", "limits")["memory"],
  },
  {
    name: "an image called latest",
    complaint: /images/,
    spoil: (o) => (containerOf(o, "user")["image"] = "chirrup/user:latest"),
  },
  { name: "no probe", complaint: /probes/, spoil: (o) => delete containerOf(o, "user")["startupProbe"] },
  {
    name: "liveness by the stores",
    complaint: /liveness.*probes/,
    spoil: (o) => (part(containerOf(o, "user"), "livenessProbe", "httpGet")["path"] = "/readyz"),
  },
  {
    name: "killed while draining",
    complaint: /drain/,
    spoil: (o) => (podOf(o, "gateway")["terminationGracePeriodSeconds"] = 10),
  },
  {
    name: "a secret in clear in a ConfigMap",
    complaint: /plainSecrets/,
    spoil: (o) => (settingsOf(o, "post")["CURSOR_SECRET"] = "0123456789abcdef0123456789abcdef"),
  },
  {
    name: "a password in a URL",
    complaint: /plainSecrets/,
    spoil: (o) => (settingsOf(o, "post")["DATABASE_URL"] = "postgres://post:hunter2@db/post"),
  },
  {
    name: "a Secret in the repository",
    complaint: /plainSecrets/,
    spoil: (o) => o.push({ apiVersion: "v1", kind: "Secret", metadata: { name: "x", namespace: "chirrup" } }),
  },
  {
    name: "prod reads dev's secret",
    complaint: /in prod reads chirrup\/dev/,
    spoil: (o) =>
      (part(find(o, "ExternalSecret", "user-secrets"), "spec", "data", 0, "remoteRef")["key"] =
        "chirrup/dev/user/settings"),
  },
  {
    name: "one service reads another's secret",
    complaint: /ownSecrets/,
    spoil: (o) =>
      (part(find(o, "ExternalSecret", "post-secrets"), "spec", "data", 1, "remoteRef")["key"] =
        "chirrup/prod/user/settings"),
  },
  {
    name: "a ClusterIP for gRPC",
    complaint: /headless/,
    spoil: (o) => delete part(find(o, "Service", "post-service"), "spec")["clusterIP"],
  },
  {
    name: "no disruption budget",
    complaint: /companions/,
    spoil: (o) => remove(o, "PodDisruptionBudget", "post-service"),
  },
  {
    name: "no default deny",
    complaint: /no policy denies/,
    spoil: (o) => remove(o, "NetworkPolicy", "default-deny"),
  },
  {
    name: "the whole internet",
    complaint: /whole internet/,
    spoil: (o) =>
      (part(find(o, "NetworkPolicy", "user-stores"), "spec", "egress", 0, "to", 0, "ipBlock")["cidr"] =
        "0.0.0.0/0"),
  },
  {
    name: "one pod in production",
    complaint: /replicas/,
    spoil: (o) => (part(find(o, "HorizontalPodAutoscaler", "post-service"), "spec")["minReplicas"] = 1),
  },
  {
    name: "migrations in PreSync",
    complaint: /waves/,
    spoil: (o) =>
      (part(find(o, "Job", "post-migrate"), "metadata", "annotations")["argocd.argoproj.io/hook"] =
        "PreSync"),
  },
  {
    name: "a secret that nothing makes",
    complaint: /references/,
    spoil: (o) => remove(o, "ExternalSecret", "feed-secrets"),
  },
  {
    name: "a service that talks in clear",
    complaint: /in clear.*mutualTls/,
    spoil: (o) => delete settingsOf(o, "post")["PEER_TLS_DIR"],
  },
  {
    name: "a key set in clear",
    complaint: /keys of access tokens in clear.*mutualTls/,
    spoil: (o) => (settingsOf(o, "gateway")["JWKS_URL"] = "http://user-service:8081/.well-known/jwks.json"),
  },
  {
    name: "a service without a certificate",
    complaint: /no certificate.*mutualTls/,
    spoil: (o) => remove(o, "Certificate", "follow"),
  },
  {
    name: "a namespace for anybody",
    complaint: /namespaced/,
    spoil: (o) =>
      (part(find(o, "Namespace", "chirrup"), "metadata", "labels")["pod-security.kubernetes.io/enforce"] =
        "baseline"),
  },
];

export const settingFaults: readonly SeededFault[] = [
  {
    name: "a setting forgotten",
    complaint: /post.*not given USER_SERVICE/,
    spoil: (o) => delete settingsOf(o, "post")["USER_SERVICE"],
  },
  {
    name: "a setting that nobody reads",
    complaint: /is given CELEBRITY_TRESHOLD, which it does not read/,
    spoil: (o) => (settingsOf(o, "follow")["CELEBRITY_TRESHOLD"] = "10"),
  },
  {
    name: "a setting of a wrong kind",
    complaint: /GRPC_PORT, which must be a port/,
    spoil: (o) => (settingsOf(o, "user")["GRPC_PORT"] = "grpc"),
  },
  {
    name: "a store's URL of a wrong kind",
    complaint: /post.*EVENT_LOG_URL, which must be kafka/,
    spoil: (o) =>
      (part(find(o, "ExternalSecret", "post-secrets"), "spec", "target", "template", "data")[
        "EVENT_LOG_URL"
      ] = "amqp://{{ .kafkaBrokers }}"),
  },
  {
    name: "no mail server where one is needed",
    complaint: /go together: MAIL_URL/,
    spoil: (o) =>
      delete part(find(o, "ExternalSecret", "user-secrets"), "spec", "target", "template", "data")[
        "MAIL_URL"
      ],
  },
  {
    name: "a call that the network does not allow",
    complaint: /calls user, which the network/,
    spoil: (o) => {
      const rule = part(find(o, "NetworkPolicy", "user-service"), "spec", "ingress", 0);
      rule["from"] = listAt(rule, "from").filter(
        (peer) => at(peer, "podSelector", "matchLabels", "app.kubernetes.io/name") !== "post",
      );
    },
  },
];

export const secretFaults: readonly SeededFault[] = [
  {
    name: "a secret that Terraform does not make",
    complaint: /reads chirrup\/prod\/post\/cache#host, which no unit makes/,
    spoil: (o) => {
      const remote = part(find(o, "ExternalSecret", "post-secrets"), "spec", "data", 0, "remoteRef");
      Object.assign(remote, { key: "chirrup/prod/post/cache", property: "host" });
    },
  },
  {
    name: "a secret that nobody reads",
    complaint: /chirrup\/prod\/feed\/redis#\w+ is made and read by nobody/,
    spoil: (o) => remove(o, "ExternalSecret", "feed-secrets"),
  },
];
