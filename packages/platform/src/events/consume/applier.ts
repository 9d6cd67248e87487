import { fromBinary } from "@bufbuild/protobuf";
import { EventSchema } from "@chirrup/proto/chirrup/events/v1/event";
import type { Logger } from "../../log/index.ts";
import { type SubscribeOptions, UnprocessableEvent } from "../event-log.ts";
import { backoffMs } from "./backoff.ts";
import type { Outcome } from "./lanes.ts";
import type { ConsumerMetrics } from "./metrics.ts";
import { isOwnFault } from "./own-fault.ts";
import type { OwnedPartition } from "./owned-partition.ts";
import type { Slot } from "./window.ts";

/** A record that was read and not handled yet. */
export interface Task {
  readonly owned: OwnedPartition;
  readonly slot: Slot;
  readonly key: string;
  readonly payload: Uint8Array;
  /** When it was appended, epoch ms. */
  readonly appendedAtMs: number;
}

/**
 * Keeps a record that cannot be applied, with its cause. Resolves when it is on disk, to false when the
 * partition turned out to be another process's (then nothing was kept).
 */
export type Bury = (task: Task, cause: string) => Promise<boolean>;

export interface ApplierOptions {
  readonly group: string;
  readonly handle: SubscribeOptions["handle"];
  readonly mostAttempts: number;
  readonly bury: Bury;
  readonly log: Logger;
  readonly metrics: ConsumerMetrics;
  readonly onDone: (owned: OwnedPartition) => void;
  readonly onLost: (owned: OwnedPartition) => void;
}

/** Makes the function that takes one record to its end: handled, kept as a dead letter, or to be retried. */
export function createApplier(options: ApplierOptions): (task: Task, attempt: number) => Promise<Outcome> {
  const { group, handle, mostAttempts, bury, log, metrics, onDone, onLost } = options;

  async function deliver({ owned, slot, key, payload }: Task): Promise<void> {
    let event;
    try {
      event = fromBinary(EventSchema, payload);
    } catch (error) {
      throw new UnprocessableEvent(`not an event: ${(error as Error).message}`, { cause: error });
    }
    const { topic, partition } = owned;
    await handle({ topic, partition, position: slot.id, key, event }, owned.signal);
  }

  /** The dead letter is kept before the record counts as handled, so no crash can lose it; one may repeat it. */
  async function attemptOnce(task: Task, attempt: number): Promise<"handled" | "dead"> {
    try {
      await deliver(task);
      return "handled";
    } catch (error) {
      const cause = hopeless(error, attempt);
      if (cause === undefined) throw error;
      const { topic } = task.owned;
      if (!(await bury(task, cause))) {
        onLost(task.owned);
        throw error;
      }
      log.error(
        { err: error, group, topic, position: task.slot.id, key: task.key },
        "event log: dead letter",
      );
      return "dead";
    }
  }

  /** The cause to keep with a record that is not tried again; undefined when it is. */
  function hopeless(error: unknown, attempt: number): string | undefined {
    if (error instanceof UnprocessableEvent) return error.message;
    if (attempt < mostAttempts || !isOwnFault(error)) return undefined;
    return `failed ${attempt} times: ${(error as Error).message}`;
  }

  return async function apply(task, attempt) {
    const { owned, slot, key, appendedAtMs } = task;
    // What was read of a partition that is gone belongs to the next owner.
    if (!owned.active) return undefined;
    owned.enter();
    try {
      const outcome = await attemptOnce(task, attempt);
      owned.window.complete(slot);
      metrics.events.inc({ group, topic: owned.topic, outcome });
      const delayMs = Math.max(0, Date.now() - appendedAtMs);
      metrics.delaySeconds.observe({ group, topic: owned.topic }, delayMs / 1_000);
      onDone(owned);
      return undefined;
    } catch (error) {
      if (!owned.active) return undefined;
      metrics.events.inc({ group, topic: owned.topic, outcome: "retried" });
      const retryAfterMs = backoffMs(attempt);
      // The first few and then ever more rarely: a dependency that is away must not fill the log.
      if (Number.isInteger(Math.log2(attempt))) {
        const fields = { group, topic: owned.topic, position: slot.id, key, attempt, retryAfterMs };
        log.warn({ err: error, ...fields }, "event log: handler failed, will be retried");
      }
      return { retryAfterMs };
    } finally {
      owned.leave();
    }
  };
}
