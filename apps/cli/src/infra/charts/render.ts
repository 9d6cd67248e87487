import {
  chmodSync,
  cpSync,
  existsSync,
  globSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { repositoryRoot } from "../../launcher/paths.ts";
import { type KubeObject, parseObjects, textAt } from "../kubernetes/objects.ts";
import { goModule, goTool, run, toolFolder } from "../tools.ts";
import { kubernetesVersion } from "../cluster/versions.ts";

const addons = join(repositoryRoot, "infra", "argocd", "addons");

/** The charts that come with a Go module, so that they can be had where no repository of charts can be reached. */
const modules: Readonly<
  Record<string, { module: string; version: string; folder: string; isPinned: boolean }>
> = {
  "cert-manager": {
    module: "github.com/cert-manager/cert-manager",
    version: "v1.21.2",
    folder: "deploy/charts/cert-manager",
    isPinned: true,
  },
  "envoy-gateway": {
    module: "github.com/envoyproxy/gateway",
    version: "v1.9.1",
    folder: "charts/gateway-helm",
    isPinned: true,
  },
  "metrics-server": {
    module: "sigs.k8s.io/metrics-server",
    version: "v0.9.0",
    folder: "charts/metrics-server",
    isPinned: true,
  },
  "external-secrets": {
    module: "github.com/external-secrets/external-secrets",
    version: "v1.3.2",
    folder: "deploy/charts/external-secrets",
    // Later releases are no Go modules.
    isPinned: false,
  },
};

export interface Addon {
  readonly name: string;
  readonly namespace: string;
  readonly version: string;
  /** Of the chart: an OCI registry's path without its scheme, or an https address. */
  readonly repository: string;
  /** The chart's name there. */
  readonly chart: string;
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
        repository: textAt(addon, "chart", "repository"),
        chart: textAt(addon, "chart", "name"),
        values: readFileSync(join(file, "..", "values.yaml"), "utf8"),
      };
    });
}

const helm = (): string => goTool("helm", "helm.sh/helm/v3/cmd/helm", "v3.22.0");

/** The release's own chart, pulled once and kept with the tools; undefined where its repository cannot be reached. */
function pulled({ name, version, repository, chart }: Addon): string | undefined {
  const folder = join(toolFolder, `chart-${name}-${version}`);
  if (existsSync(folder)) return folder;
  const from = repository.startsWith("https://")
    ? [chart, "--repo", repository]
    : [`oci://${repository}/${chart}`];
  const into = mkdtempSync(join(toolFolder, "pulling-"));
  try {
    const args = ["pull", ...from, "--version", version, "--untar", "--untardir", into];
    if (!run(helm(), args, { timeoutMs: 60_000 }).ok) return undefined;
    renameSync(join(into, chart), folder);
    return folder;
  } finally {
    rmSync(into, { recursive: true, force: true });
  }
}

const folders = new Map<string, string | undefined>();

/** Where an add-on's chart is: its Go module's, the pulled one, or else an older Go module's; undefined: nowhere. */
function chartFolder(addon: Addon): string | undefined {
  if (!folders.has(addon.name)) {
    const module = modules[addon.name];
    const inModule = (): string | undefined =>
      module === undefined ? undefined : join(goModule(module.module, module.version), module.folder);
    folders.set(addon.name, module?.isPinned === true ? inModule() : (pulled(addon) ?? inModule()));
  }
  return folders.get(addon.name);
}

export const isRendered = (addon: Addon): boolean => chartFolder(addon) !== undefined;

/** What is rendered in place of the pinned chart, where that is not the very release. */
export function standIn({ name, version }: Addon, work: string): string | undefined {
  const { version: ours = "" } = chartOf(join(work, name));
  return ours === version
    ? undefined
    : `${name} ${version}: rendered from ${ours}, as its own repository cannot be reached`;
}

const chartOf = (folder: string): { version?: string } =>
  parse(readFileSync(join(folder, "Chart.yaml"), "utf8")) as { version?: string };

/**
 * Copies an add-on's chart to `work` and makes of it what its release would: a version, where the release stamps one,
 * and no dependencies that are not in use and not vendored.
 */
function layOut(addon: Addon, work: string): string {
  const { name, version } = addon;
  const source = chartFolder(addon);
  if (source === undefined) throw new Error(`there is no chart of ${name}`);
  const folder = join(work, name);
  if (existsSync(folder)) return folder;
  cpSync(source, folder, { recursive: true });
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
  const folder = layOut(addon, work);
  const fixed = `--kube-version ${kubernetesVersion} --include-crds --values -`.split(" ");
  const args = ["template", addon.name, folder, "--namespace", addon.namespace, ...fixed];
  const { ok, stdout, output } = run(helm(), args, { input: addon.values });
  return ok ? { objects: parseObjects(stdout), complaints: [] } : { objects: [], complaints: [output] };
}
