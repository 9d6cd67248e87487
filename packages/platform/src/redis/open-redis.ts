import { Redis } from "ioredis";

import type { Logger } from "../log/index.ts";

export type { Redis };

export interface OpenRedisOptions {
  /** "redis://user:password@host:port/db". */
  readonly url: string;
  readonly log: Logger;
  /** The connection's name in CLIENT LIST and in the log. */
  readonly name: string;
  /**
   * After how long a command fails, in milliseconds, be it waiting for a connection or for its reply. 0: never, for
   * a connection that only blocks. Default: 2,000.
   */
  readonly commandTimeoutMs?: number;
}

const firstRetryMs = 50;
const longestRetryMs = 2_000;

/**
 * One connection, opened at once and again whenever it is lost, for ever, with backoff of 0.05 to 2 seconds. Commands
 * wait for it until their timeout. A command whose reply was lost with the connection fails and is not sent again: it
 * may have been done. Errors of the connection are logged once an outage and never thrown; `quit` ends it.
 */
export function openRedis(options: OpenRedisOptions): Redis {
  const { log, name } = options;
  const timeoutMs = options.commandTimeoutMs ?? 2_000;
  const redis = new Redis(options.url, {
    connectionName: name,
    connectTimeout: 2_000,
    retryStrategy: (attempt) => Math.min(firstRetryMs * 2 ** Math.min(attempt - 1, 10), longestRetryMs),
    // The command's timeout is its bound, not a count of reconnections.
    maxRetriesPerRequest: null,
    autoResendUnfulfilledCommands: false,
    // After a failover the old master refuses writes: leave it.
    reconnectOnError: (error) => error.message.startsWith("READONLY"),
    ...(timeoutMs > 0 ? { commandTimeout: timeoutMs } : {}),
  });

  let down = false;
  redis.on("error", (err: Error) => {
    if (!down) log.warn({ err, redis: name }, "redis is away");
    down = true;
  });
  redis.on("ready", () => {
    if (down) log.info({ redis: name }, "redis is back");
    down = false;
  });
  return redis;
}
