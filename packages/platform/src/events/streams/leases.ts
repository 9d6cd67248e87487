import type { Redis } from "ioredis";
import type { Logger } from "../../log/index.ts";
import { drain, type OwnedPartition, ownPartition } from "../consume/owned-partition.ts";
import { partitionCount } from "../partition-of.ts";
import { fairShare } from "./fair-share.ts";
import { streamKeys } from "./keys.ts";
import { scripts } from "./scripts.ts";

/** A process that says nothing for this long has lost its partitions. */
const leaseMs = 3_000;
const renewMs = 1_000;
/** Pause while partitions are missing to the fair share: somebody is about to hand them over. */
const waitingMs = 200;
/** How long the handlers of a partition may go on before they are aborted so that it can move. */
const drainMs = 5_000;

export interface Leases {
  readonly owned: ReadonlySet<OwnedPartition>;
  /** Gives up a partition whose lease is gone. */
  lose(owned: OwnedPartition, reason: string): void;
  /** Renews what is held, takes what is missing and hands over what is too much. Never rejects. */
  tick(): Promise<void>;
  /** Hands everything over and leaves the group. */
  close(): Promise<void>;
}

export interface LeasesOptions {
  readonly redis: Redis;
  readonly group: string;
  /** Unique for this subscription. */
  readonly member: string;
  readonly topics: readonly string[];
  readonly log: Logger;
  /** Partitions were taken or given up. */
  readonly onChanged: () => void;
  /** Commits what was handled, before a partition is handed over. */
  readonly commit: (owned: OwnedPartition) => Promise<void>;
}

type State = "held" | "lost" | "free" | "taken";

const partitions = Array.from({ length: partitionCount }, (_, partition) => partition);

/**
 * Holds this process's share of the partitions of a group. Each partition has one owner at a time: the
 * lease expires by itself, and every write made under it checks that it is still the same.
 */
export function createLeases(options: LeasesOptions): Leases {
  const { redis, group, member, topics, log, onChanged, commit } = options;
  const owned = new Set<OwnedPartition>();
  let timer: NodeJS.Timeout | undefined;
  let ticking: Promise<void> | undefined;
  let closed = false;

  const find = (topic: string, partition: number): OwnedPartition | undefined =>
    [...owned].find((held) => held.topic === topic && held.partition === partition);

  function lose(held: OwnedPartition, reason: string): void {
    if (!owned.delete(held)) return;
    held.abort(reason);
    log.warn({ group, topic: held.topic, partition: held.partition, reason }, "event log: partition lost");
    onChanged();
  }

  async function acquire(topic: string, partition: number): Promise<boolean> {
    const sentAtMs = performance.now();
    const reply = (await scripts.acquire(
      redis,
      [
        streamKeys.lease(group, topic, partition),
        streamKeys.fence(group, topic, partition),
        streamKeys.positions(topic, partition),
        streamKeys.stream(topic, partition),
      ],
      [group, member, leaseMs],
    )) as [token: string, id: string, count: string] | null;
    if (reply === null) return false;
    const [token, id, count] = reply;
    owned.add(
      ownPartition({
        topic,
        partition,
        token,
        position: { id, count: Number(count) },
        leaseMs: leaseMs - (performance.now() - sentAtMs),
        onExpired: (held) => lose(held, "the lease was not renewed in time"),
      }),
    );
    return true;
  }

  async function release(held: OwnedPartition): Promise<void> {
    await drain(held, drainMs);
    try {
      await commit(held);
      if (owned.delete(held)) {
        held.abort("the partition was handed over");
        await scripts.release(redis, [streamKeys.lease(group, held.topic, held.partition)], [held.token]);
      }
    } catch (error) {
      log.debug(
        { err: error, group, topic: held.topic },
        "event log: hand-over failed, the lease will expire",
      );
      owned.delete(held);
      held.abort("the partition was handed over");
    }
    onChanged();
  }

  /** Resolves to whether partitions are missing to the fair share. */
  async function balance(topic: string): Promise<boolean> {
    const sentAtMs = performance.now();
    const tokens = partitions.map((partition) => find(topic, partition)?.token ?? "");
    const keys = partitions.map((partition) => streamKeys.lease(group, topic, partition));
    const [members, states] = (await scripts.heartbeat(
      redis,
      [streamKeys.members(group, topic), ...keys],
      [member, leaseMs, ...tokens],
    )) as [string[], State[]];

    const held: OwnedPartition[] = [];
    for (const partition of partitions) {
      const mine = find(topic, partition);
      if (mine === undefined || mine.token !== tokens[partition]) continue;
      if (states[partition] === "lost") {
        lose(mine, "another process took the lease");
        continue;
      }
      mine.extendLease(leaseMs - (performance.now() - sentAtMs));
      if (mine.active) held.push(mine);
    }
    if (closed) return false;

    const share = fairShare(members, member, partitionCount, topics.indexOf(topic));
    for (const surplus of held.slice(share)) void release(surplus);
    let missing = share - held.length;
    for (const partition of partitions) {
      if (missing <= 0) break;
      if (states[partition] === "free" && (await acquire(topic, partition))) missing--;
    }
    return missing > 0;
  }

  async function tickOnce(): Promise<void> {
    clearTimeout(timer);
    const before = owned.size;
    const results = await Promise.allSettled(topics.map(balance));
    let nextMs = renewMs;
    for (const result of results) {
      if (result.status === "fulfilled") {
        if (result.value) nextMs = waitingMs;
      } else {
        nextMs = waitingMs;
        log.debug({ err: result.reason as unknown, group }, "event log: heartbeat failed, will be repeated");
      }
    }
    if (owned.size !== before) onChanged();
    if (!closed) timer = setTimeout(() => void tick(), nextMs);
  }

  function tick(): Promise<void> {
    ticking ??= tickOnce().finally(() => (ticking = undefined));
    return ticking;
  }

  async function close(): Promise<void> {
    closed = true;
    clearTimeout(timer);
    await ticking;
    // A hand-over may take longer than a lease lasts.
    const renewing = setInterval(() => void tick(), renewMs);
    await Promise.all([...owned].map(release));
    clearInterval(renewing);
    await ticking;
    await Promise.all(topics.map((topic) => redis.zrem(streamKeys.members(group, topic), member))).catch(
      (error: unknown) =>
        log.debug({ err: error, group }, "event log: leaving failed, the heartbeat will expire"),
    );
  }

  return { owned, lose, tick, close };
}
