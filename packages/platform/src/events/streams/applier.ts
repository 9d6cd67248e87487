import { fromBinary } from "@bufbuild/protobuf";
import { EventSchema } from "@chirrup/proto/chirrup/events/v1/event";
import type { Redis } from "ioredis";
import type { Logger } from "../../log/index.ts";
import { type SubscribeOptions, UnprocessableEvent } from "../event-log.ts";
import { backoffMs } from "./backoff.ts";
import { streamKeys } from "./keys.ts";
import type { Outcome } from "./lanes.ts";
import type { StreamMetrics } from "./metrics.ts";
import type { OwnedPartition } from "./owned-partition.ts";
import { scripts } from "./scripts.ts";
import type { Slot } from "./window.ts";

/** An entry that was read and not handled yet. */
export interface Task {
  readonly owned: OwnedPartition;
  readonly slot: Slot;
  readonly key: string;
  readonly payload: Buffer;
}

export interface ApplierOptions {
  readonly redis: Redis;
  readonly group: string;
  readonly handle: SubscribeOptions["handle"];
  readonly log: Logger;
  readonly metrics: StreamMetrics;
  readonly onDone: (owned: OwnedPartition) => void;
  readonly onLost: (owned: OwnedPartition) => void;
}

/** Makes the function that takes one entry to its end: handled, kept as a dead letter, or to be retried. */
export function createApplier(options: ApplierOptions): (task: Task, attempt: number) => Promise<Outcome> {
  const { redis, group, handle, log, metrics, onDone, onLost } = options;

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

  /** The record is kept before the entry counts as handled, so no crash can lose it; one may repeat it. */
  async function bury({ owned, slot, key, payload }: Task, cause: string): Promise<boolean> {
    const { topic, partition } = owned;
    const fields = { topic, partition, position: slot.id, key, cause, payload };
    const record = await scripts.deadLetter(
      redis,
      [streamKeys.lease(group, topic, partition), streamKeys.deadLetters(group)],
      [owned.token, ...Object.entries(fields).flat()],
    );
    return record !== null;
  }

  async function attemptOnce(task: Task): Promise<"handled" | "dead"> {
    try {
      await deliver(task);
      return "handled";
    } catch (error) {
      if (!(error instanceof UnprocessableEvent)) throw error;
      const { topic } = task.owned;
      if (!(await bury(task, error.message))) {
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

  return async function apply(task, attempt) {
    const { owned, slot, key } = task;
    // What was read under a lease that is gone belongs to the next owner.
    if (!owned.active) return undefined;
    owned.enter();
    try {
      const outcome = await attemptOnce(task);
      owned.window.complete(slot);
      metrics.events.inc({ group, topic: owned.topic, outcome });
      metrics.delaySeconds.observe({ group, topic: owned.topic }, delaySeconds(slot.id));
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

/** Time since an entry was appended; its id begins with the milliseconds. */
function delaySeconds(id: string): number {
  return Math.max(0, Date.now() - Number(id.slice(0, id.indexOf("-")))) / 1_000;
}
