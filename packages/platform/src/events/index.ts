export { describeEvent, type EventDescription } from "./describe-event.ts";
export {
  type EventLog,
  type ReceivedEvent,
  type SubscribeOptions,
  type Subscription,
  UnprocessableEvent,
} from "./event-log.ts";
export { type FollowedEvents, followEvents } from "./follow-events.ts";
export { type EventLogOptions, openEventLog } from "./open-event-log.ts";
export {
  type AppendableRecord,
  type DeadLetter,
  type EventLogOperator,
  openEventLogOperator,
  type PartitionLag,
} from "./operator.ts";
export * from "./outbox.ts";
export { watchOutboxSlot } from "./outbox-slot.ts";
export { partitionCount, partitionOf } from "./partition-of.ts";
export { type EventRedisOptions, openEventRedis, whenReady } from "./streams/connection.ts";
export { streamKeys } from "./streams/keys.ts";
export { loadScript, type Script, type ScriptArgument } from "./streams/script.ts";
export { type Topic, topics } from "./topics.ts";
