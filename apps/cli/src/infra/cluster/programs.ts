import { readFileSync } from "node:fs";
import { join } from "node:path";
import { goModule, goTool, goToolOf } from "../tools.ts";
import { etcdVersion, kubernetesVersion, kwokVersion } from "./versions.ts";

/** The replacements of Kubernetes' go.mod name folders of its own repository: the published modules stand in. */
function kubernetesModule(): string {
  const folder = goModule("k8s.io/kubernetes", kubernetesVersion);
  const goMod = readFileSync(join(folder, "go.mod"), "utf8");
  const staged = [...goMod.matchAll(/^\t(\S+) => \.\/staging/gm)].map(
    ([, name]) => `\t${name} => ${name} ${kubernetesVersion.replace("v1.", "v0.")}`,
  );
  const go = /^go (\S+)/m.exec(goMod)?.[1] ?? "1.25.0";
  return `module chirrup.invalid/kubernetes\n\ngo ${go}\n\nrequire k8s.io/kubernetes ${kubernetesVersion}\n\nreplace (\n${staged.join("\n")}\n)\n`;
}

/** One of Kubernetes' own programs, "kubectl" for example; built once, in minutes. */
export const kubernetesProgram = (name: string): string =>
  goToolOf(name, `k8s.io/kubernetes/cmd/${name}`, kubernetesVersion, kubernetesModule());

/** The package's last folder is the major version, which `go install` would name the program after. */
export const etcdProgram = (): string =>
  goToolOf("etcd", "go.etcd.io/etcd/server/v3", etcdVersion, "module chirrup.invalid/etcd\n\ngo 1.25.0\n");

/** Plays the kubelets of nodes that do not exist. */
export const kwokProgram = (): string => goTool("kwok", "sigs.k8s.io/kwok/cmd/kwok", kwokVersion);
