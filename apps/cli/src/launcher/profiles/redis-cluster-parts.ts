import { rmSync } from "node:fs";
import { type ClusterNode, formRedisCluster, freePort, startRedisClusterNode } from "@chirrup/servers";
import type { Part } from "../part.ts";
import type { Site } from "./ground.ts";
import { cacheSettings } from "./redis-part.ts";

const masters = 3;
const replicas = 3;
/** Longer than the cluster needs to elect a replica: a master that came back empty would win over it. */
const restartAfterMs = 6_000;

/**
 * Starts a Redis Cluster of three masters and three replicas, empty at each start like every cache. Gives the URL that
 * names all of them, for any may be away when a service starts.
 */
export async function startRedisClusterParts(site: Site): Promise<string> {
  const { home, secrets } = site;
  const password = secrets.redis;
  const nodes: ClusterNode[] = [];
  const parts: Part[] = [];
  for (let number = 1; number <= masters + replicas; number += 1) {
    const name = `redis-${number}`;
    const node: ClusterNode = { port: await freePort(), busPort: await freePort() };
    const [dataDir, logFile] = [home.dataDir(name), site.logFile(name)];
    // The map of an earlier cluster names ports that others have now.
    rmSync(dataDir, { recursive: true, force: true });
    nodes.push(node);
    parts.push(
      site.add(
        {
          name,
          url: `redis://127.0.0.1:${node.port}`,
          logFile,
          restartAfterMs,
          start: (signal) =>
            startRedisClusterNode({ ...node, dataDir, logFile, password, settings: cacheSettings, signal }),
        },
        "stores",
      ),
    );
  }
  await Promise.all(parts.map((part) => part.start()));
  await formRedisCluster({ nodes, masters, password });
  site.step(`Redis Cluster of ${masters} masters and ${replicas} replicas is formed`);
  const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
  return `redis-cluster://:${password}@${addresses.join(",")}`;
}
