import { freePort, startRedis } from "@chirrup/servers";
import type { Part } from "../part.ts";
import type { Site } from "./ground.ts";

export interface RedisPart {
  readonly part: Part;
  readonly url: string;
}

/** A Redis server of its own as a part, on a free port. */
export async function addRedis(
  site: Site,
  name: string,
  settings: Readonly<Record<string, string>>,
): Promise<RedisPart> {
  const port = await freePort();
  const logFile = site.logFile(name);
  const password = site.secrets.redis;
  const part = site.add(
    {
      name,
      url: `redis://127.0.0.1:${port}`,
      logFile,
      start: (signal) =>
        startRedis({ dataDir: site.home.dataDir(name), port, logFile, password, settings, signal }),
    },
    "stores",
  );
  return { part, url: `redis://:${password}@127.0.0.1:${port}` };
}

/**
 * The cache keeps nothing over a restart: what it holds is rebuilt, and an old copy would lack what was
 * pushed after it was written.
 */
export const cacheSettings: Readonly<Record<string, string>> = {
  appendonly: "no",
  "maxmemory-policy": "noeviction",
};
