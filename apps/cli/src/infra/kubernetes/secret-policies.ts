import { at, describe, isWorkload, listAt, serviceOf, textAt } from "./objects.ts";
import { containers, each, pod, type Policy, settingsOf } from "./policy.ts";

export const plainSecrets: Policy = (objects) => [
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

export const ownSecrets: Policy = (objects, environment) =>
  each(["ExternalSecret"], (object) =>
    listAt(object, "spec", "data").map((entry) => {
      const key = textAt(entry, "remoteRef", "key");
      const [project, of, owner] = key.split("/");
      return (
        !(
          ["chirrup", "AmazonMSK_chirrup"].includes(project ?? "") &&
          of === environment &&
          (owner === serviceOf(object) || owner === "platform")
        ) && `in ${environment} reads ${key}, which is not its own`
      );
    }),
  )(objects, environment);

export const mutualTls: Policy = (objects) => {
  const certificates = objects
    .filter(({ kind }) => kind === "Certificate")
    .map((object) => textAt(object, "spec", "secretName"));
  return each(["Deployment"], (object) => {
    const { PEER_TLS_DIR: folder, JWKS_URL: keySet } = settingsOf(object, objects);
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
      keySet?.startsWith("https:") === false && "reads the keys of access tokens in clear",
    ];
  })(objects, "dev");
};
