import { z } from "zod";
import { kafkaUrlForm, parseKafkaUrl } from "../events/kafka/brokers.ts";
import { parseRedisUrl } from "../redis/pipeline/redis-url.ts";
import { urlsOfHosts } from "../postgres/hosts.ts";

/** Reads one environment variable: a schema from its text to what the program works with. */
type Setting<T> = z.ZodType<T, string>;

const longestTimerMs = 2 ** 31 - 1;
const addressPattern = /^(?:dns:\/\/\/)?(?:\[[0-9A-Fa-f:.]+\]|[^\s:/[\]]+):(\d{1,5})$/;
const levels = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;

function integer(min: number, max: number, message: string): Setting<number> {
  return z
    .string()
    .regex(/^\d{1,15}$/, message)
    .transform(Number)
    .refine((value) => value >= min && value <= max, message);
}

/**
 * The kinds of settings. Each call makes a schema, to be finished with `.describe("meaning")` and, unless it is
 * required, `.default(value)` or `.optional()`. No message of theirs repeats the value.
 */
export const setting = {
  /** 0 to 65535; 0 takes any free port. */
  port: (): Setting<number> => integer(0, 65_535, "must be a port number"),
  /** 1 and above. */
  positiveInt: (): Setting<number> => integer(1, Number.MAX_SAFE_INTEGER, "must be a positive whole number"),
  /** Milliseconds, 0 to 2,147,483,647 (a timer's limit). */
  durationMs: (): Setting<number> => integer(0, longestTimerMs, "must be whole milliseconds"),
  /** An absolute URL, kept as text. With `schemes`, for example "redis", only those. */
  url: (...schemes: readonly string[]): Setting<string> => {
    const wanted = schemes.length === 0 ? "an absolute URL" : `a URL of ${schemes.join(" or ")}`;
    return z.string().refine((value) => {
      const url = URL.parse(value);
      return url !== null && (schemes.length === 0 || schemes.includes(url.protocol.slice(0, -1)));
    }, `must be ${wanted}`);
  },
  /** A URL of Postgres, which may name several hosts: `postgres://user:password@host:port[,host:port…]/database`. */
  postgres: (): Setting<string> =>
    z.string().refine((value) => {
      const urls = urlsOfHosts(value).map((url) => new URL(url));
      return urls.length > 0 && urls.every(({ protocol }) => /^postgres(?:ql)?:$/.test(protocol));
    }, "must be a URL of postgres"),
  /** A Redis server, or a cluster as `redis-cluster://host:port[,host:port…]`; `rediss…` over TLS. */
  redis: (): Setting<string> =>
    z
      .string()
      .refine(
        (value) => parseRedisUrl(value) !== undefined,
        "must be redis://host:port or redis-cluster://host:port[,host:port…]",
      ),
  /** Where the event log is: a URL of Kafka (see parseKafkaUrl), or of redis for the embedded carrier. */
  eventLog: (): Setting<string> =>
    z.string().refine((value) => {
      const scheme = URL.parse(value)?.protocol;
      return scheme === "redis:" || scheme === "rediss:" || parseKafkaUrl(value) !== undefined;
    }, `must be ${kafkaUrlForm} or a URL of redis`),
  /** At least 32 characters. */
  secret: (): Setting<string> => z.string().min(32, "must have at least 32 characters"),
  /** "host:port", or "dns:///host:port". */
  address: (): Setting<string> =>
    z.string().refine((value) => {
      const port = Number(addressPattern.exec(value)?.[1] ?? 0);
      return port >= 1 && port <= 65_535;
    }, "must be host:port"),
  /** "true", "1", "false" or "0". */
  boolean: (): Setting<boolean> =>
    z
      .string()
      .regex(/^(?:true|false|0|1)$/, "must be true or false")
      .transform((value) => value === "true" || value === "1"),
  /** Any text but an empty one. */
  text: (): Setting<string> => z.string().min(1),
  /** One of the levels of the log. */
  logLevel: (): z.ZodEnum<{ [L in (typeof levels)[number]]: L }> =>
    z.enum(levels, `must be one of ${levels.join(", ")}`),
} as const;
