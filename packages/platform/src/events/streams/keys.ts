/**
 * Where the embedded carrier keeps what in Redis. The relay writes the streams and trims them; the
 * consumers own the rest.
 */
export const streamKeys = {
  /** Stream of one partition; fields `k` (key) and `e` (bytes of chirrup.events.v1.Event). */
  stream: (topic: string, partition: number): string => `events:${topic}:${partition}`,
  /** Set of the groups that read a topic. */
  groups: (topic: string): string => `events:${topic}:groups`,
  /** Hash of one partition: group → `<last committed id> <entries up to it>`. */
  positions: (topic: string, partition: number): string => `events:${topic}:${partition}:positions`,
  /** Sorted set of the live members of a group on a topic, by the end of their heartbeat, epoch ms. */
  members: (group: string, topic: string): string => `events:${topic}:members:${group}`,
  /** String `<member>:<fence>` that expires: the one process that may read this partition for the group. */
  lease: (group: string, topic: string, partition: number): string =>
    `events:${topic}:${partition}:lease:${group}`,
  /** Counter of the leases ever given. */
  fence: (group: string, topic: string, partition: number): string =>
    `events:${topic}:${partition}:fence:${group}`,
  /** Stream of what a group could not apply. */
  deadLetters: (group: string): string => `events:dead:${group}`,
} as const;
