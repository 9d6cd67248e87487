import { setTimeout as pause } from "node:timers/promises";
import {
  type Consumer,
  cooperativeStickyAssigner,
  type GroupAssignment,
  type GroupPartitionsAssigner,
} from "@platformatic/kafka";
import type { Logger } from "../../log/index.ts";
import { backoffMs } from "../consume/backoff.ts";
import { drain, type OwnedPartition, ownPartition } from "../consume/owned-partition.ts";
import { openConsumer } from "./clients.ts";

/** A process that says nothing for this long is taken for dead. The least that brokers allow by default. */
const sessionMs = 6_000;
/** A member learns of a rebalance by a heartbeat. */
const heartbeatMs = 500;
/** How long the handlers of a partition may go on before they are aborted so that it can move. */
const drainMs = 3_000;
/** How long the last commit before a hand-over may take. Together with the drain less than a session. */
const lastCommitMs = 1_000;
/** How long leaving may take; after that the session ends by itself. */
const leaveMs = 5_000;
/** How long the members wait for each other in a rebalance. */
const rebalanceMs = 15_000;
const protocol = { name: "cooperative-sticky", version: 3 };
const earliest = -2n;

/**
 * Shares out the topics of all members. The library names those of the leader alone, so the subscriptions of
 * one group to a topic each would get nothing.
 */
const assignAllTopics: GroupPartitionsAssigner = (leader, members, _, metadata) => {
  const topics = new Set([...members.values()].flatMap((member) => member.topics ?? []));
  return cooperativeStickyAssigner(leader, members, topics, metadata);
};

/** This process's place in a consumer group, and the partitions it was given. */
export interface Membership {
  readonly consumer: Consumer;
  readonly owned: ReadonlySet<OwnedPartition>;
  /** Joins the group; comes back by itself after any failure. Rejects only when closed meanwhile. */
  join(): Promise<void>;
  /** Hands everything over and leaves the group. */
  close(): Promise<void>;
}

export interface MembershipOptions {
  readonly url: string;
  readonly group: string;
  readonly topics: readonly string[];
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Partitions were taken or given up. */
  readonly onChanged: () => void;
  /** Commits what was handled, before partitions are handed over. */
  readonly commit: (partitions: Iterable<OwnedPartition>) => Promise<void>;
}

const placesOf = (assignments: readonly GroupAssignment[] | null): Set<string> =>
  new Set(
    assignments?.flatMap(({ topic, partitions }) => partitions.map((partition) => `${topic}:${partition}`)),
  );
const placeOf = ({ topic, partition }: OwnedPartition): string => `${topic}:${partition}`;

/**
 * Cooperative rebalancing: a member keeps what stays with it and goes on with it meanwhile, and gives
 * away what moves before the next one gets it.
 *
 * Why drain in `protocolsMetadata`: the library asks it for its part of every JoinGroup and waits for it. So
 * it is the one place between "these partitions were taken from you" and telling the group that they are free.
 */
export function createMembership(options: MembershipOptions): Membership {
  const { url, group, topics, log, signal, onChanged, commit } = options;
  const owned = new Set<OwnedPartition>();
  const consumer = openConsumer(url, {
    groupId: group,
    sessionTimeout: sessionMs,
    rebalanceTimeout: rebalanceMs,
    heartbeatInterval: heartbeatMs,
    protocols: [protocol],
    partitionAssigner: assignAllTopics,
    protocolsMetadata: async () => {
      await giveUpRevoked();
      return Buffer.alloc(0);
    },
  });
  for (const topic of topics) consumer.topics.track(topic);
  /** The generation whose assignment is held. */
  let heldGeneration = 0;
  let taking: Promise<void> | undefined;
  let takeAgain = false;
  let joining: Promise<void> | undefined;
  let closed = false;
  let taken = 0;

  function lose(held: OwnedPartition, reason: string): void {
    if (!owned.delete(held)) return;
    held.abort(reason);
    log.warn({ group, topic: held.topic, partition: held.partition, reason }, "event log: partition lost");
    onChanged();
  }

  function extendLeases(forMs: number): void {
    for (const held of owned) held.extendLease(forMs);
  }

  async function release(partitions: readonly OwnedPartition[]): Promise<void> {
    await Promise.all(partitions.map((held) => drain(held, drainMs)));
    const committed = commit(partitions).catch((error: unknown) =>
      log.debug({ err: error, group }, "event log: last commit failed, the next owner repeats some events"),
    );
    await Promise.race([committed, pause(lastCommitMs)]);
    for (const held of partitions) {
      owned.delete(held);
      held.abort("the partition was handed over");
    }
    onChanged();
  }

  async function giveUpRevoked(): Promise<void> {
    const assigned = placesOf(consumer.assignments);
    const gone = [...owned].filter((held) => !assigned.has(placeOf(held)));
    // The group waits for its members; it takes none for dead that is about to join.
    extendLeases(rebalanceMs);
    if (gone.length === 0) return;
    // A new generation took them. In the one that is held, they can only have gone with the membership.
    if (consumer.memberId !== null && consumer.generationId !== heldGeneration) await release(gone);
    else for (const held of gone) lose(held, "the group has taken this process for dead");
  }

  /** Starts to read what was assigned and is not held. */
  async function takeMissing(generation: number): Promise<void> {
    const held = new Set([...owned].map(placeOf));
    const missing = (consumer.assignments ?? [])
      .map(({ topic, partitions }) => ({
        topic,
        partitions: partitions.filter((partition) => !held.has(`${topic}:${partition}`)),
      }))
      .filter(({ partitions }) => partitions.length > 0);
    if (missing.length === 0) return;
    const partitionsOf = Object.fromEntries(missing.map(({ topic, partitions }) => [topic, partitions]));
    const [committed, first] = await Promise.all([
      consumer.listCommittedOffsets({ topics: missing }),
      consumer.listOffsets({
        topics: Object.keys(partitionsOf),
        partitions: partitionsOf,
        timestamp: earliest,
      }),
    ]);
    if (closed || generation !== heldGeneration || consumer.memberId === null) return;
    const memberId = consumer.memberId;
    for (const { topic, partitions } of missing) {
      for (const partition of partitions) {
        const position = committed.get(topic)?.[partition] ?? -1n;
        const next = position >= 0n ? position : (first.get(topic)?.[partition] ?? 0n);
        owned.add(
          ownPartition({
            topic,
            partition,
            token: `${memberId}:${++taken}`,
            position: { id: String(next - 1n), count: 0 },
            leaseMs: sessionMs,
            onExpired: (expired) => lose(expired, "no heartbeat was answered in time"),
          }),
        );
      }
    }
    onChanged();
  }

  async function takeUntilDone(): Promise<void> {
    for (let attempt = 1; takeAgain; attempt++) {
      takeAgain = false;
      try {
        await takeMissing(heldGeneration);
        attempt = 0;
      } catch (error) {
        if (closed) return;
        log.debug({ err: error, group }, "event log: positions could not be read, will be repeated");
        takeAgain = true;
        await pause(backoffMs(attempt));
      }
    }
  }

  function take(): void {
    takeAgain = true;
    taking ??= takeUntilDone().finally(() => (taking = undefined));
  }

  async function joinUntilDone(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      signal.throwIfAborted();
      if (closed) return;
      try {
        await consumer.joinGroup({});
        return;
      } catch (error) {
        log.debug({ err: error, group }, "event log: joining the group failed, will be repeated");
        await pause(backoffMs(attempt), undefined, { signal }).catch(() => undefined);
      }
    }
  }

  function join(): Promise<void> {
    joining ??= joinUntilDone().finally(() => (joining = undefined));
    return joining;
  }

  consumer.on("consumer:group:join", ({ generationId }) => {
    heldGeneration = generationId ?? 0;
    const assigned = placesOf(consumer.assignments);
    for (const held of owned)
      if (!assigned.has(placeOf(held))) lose(held, "the group gave the partition to another process");
    extendLeases(sessionMs);
    take();
  });
  consumer.on("consumer:heartbeat:end", () => {
    extendLeases(sessionMs);
    // What this process gave up by its own clock is still its own when the coordinator, back again, says so.
    if (owned.size < placesOf(consumer.assignments).size) take();
  });
  // Whatever was promised over a connection that broke, the session is all that is left.
  consumer.on("client:broker:disconnect", () => extendLeases(sessionMs));
  // A rejoin that the library began by itself has failed; it makes no other attempt.
  consumer.on("error", () => {
    if (!closed) join().catch(() => undefined);
  });

  return {
    consumer,
    owned,
    join,
    async close() {
      closed = true;
      await release([...owned]);
      const left = new Promise<void>((resolve) => {
        consumer.leaveGroup(true, (error) => {
          if (error) log.debug({ err: error, group }, "event log: leaving failed, the session will end");
          resolve();
        });
      });
      await Promise.race([left, pause(leaveMs, undefined, { ref: false })]);
      await consumer.close(true).catch(() => undefined);
    },
  };
}
