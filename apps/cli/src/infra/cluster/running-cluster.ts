import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startProcess } from "@chirrup/servers";
import { goModule } from "../tools.ts";
import { type ApiServer, startApiServer, until } from "./api-server.ts";
import { kubernetesProgram, kwokProgram } from "./programs.ts";
import { kwokVersion } from "./versions.ts";

const zones = ["a", "b", "c"];

/** What kwok plays: nodes that are ready, pods that become ready at once, and pods of Jobs that end well. */
const stages = ["node/fast/*.yaml", "node/heartbeat-with-lease/*.yaml", "pod/fast/*.yaml"];

/**
 * A cluster whose objects live: an API server, Kubernetes' controllers and its scheduler, and a node in each of three
 * zones whose kubelet kwok plays. Containers do not run, there is no network between pods, and no controller of an
 * add-on: what a Secret of External Secrets or a Certificate makes does not come to be.
 */
export async function startCluster(work: string): Promise<ApiServer> {
  const controllerManager = kubernetesProgram("kube-controller-manager");
  const scheduler = kubernetesProgram("kube-scheduler");
  const kwok = kwokProgram();
  const server = await startApiServer(work, []);
  const stops: (() => Promise<unknown>)[] = [() => server.stop()];
  const stop = async (): Promise<void> => {
    for (const end of stops.toReversed()) await end();
  };
  const start = async (name: string, command: string, args: readonly string[]): Promise<void> => {
    const all = [`--kubeconfig=${server.kubeconfig}`, ...args];
    const started = await startProcess({ command, args: all, logFile: join(work, `${name}.log`) });
    stops.push(() => started.stop());
  };
  try {
    await start("kube-controller-manager", controllerManager, [
      "--leader-elect=false",
      "--secure-port=0",
      `--service-account-private-key-file=${join(work, "accounts.key")}`,
      // On a busy machine kwok's heartbeats may be late, and nobody makes the pods of a lost node ready again.
      "--node-monitor-grace-period=10m",
      // Two seconds instead of fifteen: there is no load to average over.
      "--horizontal-pod-autoscaler-sync-period=2s",
    ]);
    await start("kube-scheduler", scheduler, ["--leader-elect=false", "--secure-port=0"]);
    const config = join(work, "stages.yaml");
    writeFileSync(config, stagesOf(goModule("sigs.k8s.io/kwok", kwokVersion)));
    await start("kwok", kwok, ["--manage-all-nodes=true", `--config=${config}`, "--node-port=0"]);
    const nodes = zones.map((zone) => JSON.stringify(node(zone)));
    server.kubectl(["apply", "--filename=-"], nodes.join("\n---\n"));
    await until(
      "the nodes are ready",
      () => server.kubectl(["wait", "--for=condition=Ready", "nodes", "--all", "--timeout=5s"]).ok,
    );
    return { ...server, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function stagesOf(folder: string): string {
  return stages
    .flatMap((pattern) => globSync(join(folder, "kustomize", "stage", pattern)))
    .map((file) => readFileSync(file, "utf8"))
    .filter((text) => /^kind: Stage$/m.test(text))
    .join("\n---\n");
}

const node = (zone: string): unknown => ({
  apiVersion: "v1",
  kind: "Node",
  metadata: {
    name: `node-${zone}`,
    labels: {
      "kubernetes.io/hostname": `node-${zone}`,
      "kubernetes.io/os": "linux",
      "topology.kubernetes.io/zone": `zone-${zone}`,
    },
  },
});
