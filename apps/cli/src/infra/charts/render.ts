import { chmodSync, cpSync, existsSync, globSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { repositoryRoot } from "../../launcher/paths.ts";
import { type KubeObject, parseObjects, textAt } from "../kubernetes/objects.ts";
import { goModule, goTool, run } from "../tools.ts";
import { kubernetesVersion } from "../cluster/versions.ts";

const addons = join(repositoryRoot, "infra", "argocd", "addons");

/** Where the charts are that come with a Go module: repositories of charts are not asked. */
const sources: Readonly<Record<string, { module: string; version: string; folder: string }>> = {
  "cert-manager": {
    module: "github.com/cert-manager/cert-manager",
    version: "v1.21.2",
    folder: "deploy/charts/cert-manager",
  },
  "envoy-gateway": {
    module: "github.com/envoyproxy/gateway",
    version: "v1.9.1",
    folder: "charts/gateway-helm",
  },
  "metrics-server": {
    module: "sigs.k8s.io/metrics-server",
    version: "v0.9.0",
    folder: "charts/metrics-server",
  },
  "external-secrets": {
    module: "github.com/external-secrets/external-secrets",
    version: "v1.3.2",
    folder: "deploy/charts/external-secrets",
  },
};

export interface Addon {
  readonly name: string;
  readonly namespace: string;
  readonly version: string;
  /** The values as infra/argocd has them, in YAML. */
  readonly values: string;
}

export function readAddons(): Addon[] {
  return globSync(join(addons, "*", "addon.yaml"))
    .toSorted()
    .map((file) => {
      const addon = parse(readFileSync(file, "utf8")) as unknown;
      return {
        name: textAt(addon, "name"),
        namespace: textAt(addon, "namespace"),
        version: textAt(addon, "chart", "version"),
        values: readFileSync(join(file, "..", "values.yaml"), "utf8"),
      };
    });
}

export const isRendered = ({ name }: Addon): boolean => name in sources;

/** What is rendered in place of the pinned chart, where that is not the very release. */
export function standIn({ name, version }: Addon, work: string): string | undefined {
  const { version: ours = "" } = chartOf(join(work, name));
  return ours === version
    ? undefined
    : `${name} ${version}: rendered from ${ours}, as later releases are no Go modules`;
}

const chartOf = (folder: string): { version?: string } =>
  parse(readFileSync(join(folder, "Chart.yaml"), "utf8")) as { version?: string };

/**
 * Copies an add-on's chart to `work` and makes of it what its release would: a version, where the release stamps one,
 * and no dependencies that are not in use and not vendored.
 */
function layOut({ name, version }: Addon, work: string): string {
  const source = sources[name];
  if (source === undefined) throw new Error(`there is no chart of ${name}`);
  const folder = join(work, name);
  if (existsSync(folder)) return folder;
  cpSync(join(goModule(source.module, source.version), source.folder), folder, { recursive: true });
  // The module cache is read-only.
  for (const file of [folder, ...globSync(join(folder, "**"))]) chmodSync(file, 0o755);
  const chart = chartOf(folder) as Record<string, unknown>;
  if (!existsSync(join(folder, "charts"))) delete chart["dependencies"];
  if (/^v?0\.0\.0/.test(textAt(chart, "version") || "0.0.0"))
    Object.assign(chart, { version, appVersion: version });
  writeFileSync(join(folder, "Chart.yaml"), stringify(chart));
  const template = join(folder, "values.tmpl.yaml");
  if (existsSync(template)) {
    const text = readFileSync(template, "utf8")
      .replaceAll("${GatewayImage}", `docker.io/envoyproxy/gateway:${version}`)
      .replaceAll("${GatewayImagePullPolicy}", "IfNotPresent");
    writeFileSync(template, text);
    renameSync(template, join(folder, "values.yaml"));
  }
  return folder;
}

/** Helm's output for an add-on, or what Helm says against it. */
export function renderAddon(addon: Addon, work: string): { objects: KubeObject[]; complaints: string[] } {
  const helm = goTool("helm", "helm.sh/helm/v3/cmd/helm", "v3.22.0");
  const folder = layOut(addon, work);
  const fixed = `--kube-version ${kubernetesVersion} --include-crds --values -`.split(" ");
  const args = ["template", addon.name, folder, "--namespace", addon.namespace, ...fixed];
  const { ok, stdout, output } = run(helm, args, { input: addon.values });
  return ok ? { objects: parseObjects(stdout), complaints: [] } : { objects: [], complaints: [output] };
}
