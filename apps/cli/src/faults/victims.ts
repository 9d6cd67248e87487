import { redisCommand } from "@chirrup/servers";
import type { PartStatus } from "../launcher/status.ts";

/** What is killed: a kind has one part or several, of which any may go. */
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
] as const;
export type Kind = (typeof kinds)[number];

function kindOf(part: string): Kind | undefined {
  if (/^kafka(-\d+)?$/.test(part)) return "broker";
  if (/^redis-\d+$/.test(part)) return "redis-master";
  if (/^postgres(-[a-z]+)?-replica$/.test(part)) return "postgres-replica";
  if (/^postgres(-[a-z]+)?$/.test(part)) return "postgres-primary";
  return kinds.find((kind) => kind === part);
}

/** The parts of a platform by their kind, in the order of `kinds`. */
export function partsByKind(parts: readonly PartStatus[]): ReadonlyMap<Kind, readonly PartStatus[]> {
  const found = Map.groupBy(parts, ({ name }) => kindOf(name));
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
