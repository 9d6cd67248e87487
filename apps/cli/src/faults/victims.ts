import { redisCommand } from "@chirrup/servers";
import type { Home } from "../launcher/paths.ts";
import { readPrimary } from "../launcher/roles.ts";
import type { PartStatus } from "../launcher/status.ts";
import { serviceOf } from "./promotion.ts";

/**
 * What is killed: a kind has one part or several, of which any may go. A promotion is the death of a primary whose
 * synchronous replica takes its place.
 */
export const kinds = [
  "gateway",
  "user",
  "follow",
  "post",
  "feed",
  "relay",
  "connect",
  "broker",
  "redis",
  "redis-events",
  "redis-master",
  "postgres-replica",
  "postgres-primary",
  "promotion",
] as const;
export type Kind = (typeof kinds)[number];

function kindOf(part: string, home: Home): Kind | undefined {
  const service = serviceOf(part);
  // A promotion changes which of a pair is the primary, and no names.
  if (service !== undefined)
    return readPrimary(home, service) === part ? "postgres-primary" : "postgres-replica";
  if (/^kafka(-\d+)?$/.test(part)) return "broker";
  if (/^redis-\d+$/.test(part)) return "redis-master";
  if (part === "postgres") return "postgres-primary";
  return kinds.find((kind) => kind === part);
}

/** The parts of a platform by their kind, in the order of `kinds`. */
export function partsByKind(
  home: Home,
  parts: readonly PartStatus[],
): ReadonlyMap<Kind, readonly PartStatus[]> {
  const found = Map.groupBy(parts, ({ name }) => kindOf(name, home));
  if (found.has("postgres-replica")) found.set("promotion", found.get("postgres-primary") ?? []);
  return new Map(
    kinds.flatMap((kind) => {
      const parts = found.get(kind);
      return parts === undefined ? [] : [[kind, parts]];
    }),
  );
}

/** Of Redis Cluster's nodes those that are masters now: which they are changes with each failover. */
export async function mastersOf(
  nodes: readonly PartStatus[],
  password: string,
): Promise<readonly PartStatus[]> {
  const roles = await Promise.all(
    nodes.map(({ url }) =>
      redisCommand({ port: Number(new URL(url).port), password }, "INFO", "replication"),
    ),
  );
  return nodes.filter((_, index) => roles[index]?.includes("role:master") === true);
}
