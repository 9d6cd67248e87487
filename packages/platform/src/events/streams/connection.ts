import { Redis } from "ioredis";
import type { Logger } from "../../log/index.ts";

export interface EventRedisOptions {
  /** `redis://[:password@]host:port[/db]` */
  readonly url: string;
  /** Shown by CLIENT LIST. */
  readonly name: string;
  readonly log: Logger;
  /** A command without an answer fails after this long. Default 5,000. */
  readonly commandTimeoutMs?: number;
}

/**
 * Opens a connection to the Redis of the event log. It reconnects by itself; while it is away, commands
 * fail at once, and a command that was on its way when it broke fails too and is never sent again:
 * a carrier has to know which of its writes happened, and asks Redis before it repeats one.
 */
export function openEventRedis({ url, name, log, commandTimeoutMs = 5_000 }: EventRedisOptions): Redis {
  const redis = new Redis(url, {
    connectionName: name,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    commandTimeout: commandTimeoutMs,
    connectTimeout: 2_000,
    retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 5), 1_000) * (0.5 + Math.random() / 2),
    protocol: 2,
  });
  let up = true;
  redis.on("error", (error: Error) => {
    // One line for an outage, not one for each attempt to reconnect.
    if (up) log.warn({ err: error, connection: name }, "event log: Redis connection failed");
    up = false;
  });
  redis.on("close", () => {
    if (up) log.warn({ connection: name }, "event log: Redis connection closed");
    up = false;
  });
  redis.on("ready", () => {
    if (!up) log.info({ connection: name }, "event log: Redis connection is back");
    up = true;
  });
  return redis;
}

/** Resolves when the connection is ready; rejects when the signal is aborted first. */
export async function whenReady(redis: Redis, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (redis.status === "ready") return;
  await new Promise<void>((resolve, reject) => {
    const settle = (): void => {
      redis.off("ready", settle);
      signal.removeEventListener("abort", settle);
      if (signal.aborted) reject(signal.reason as Error);
      else resolve();
    };
    redis.on("ready", settle);
    signal.addEventListener("abort", settle, { once: true });
  });
}
