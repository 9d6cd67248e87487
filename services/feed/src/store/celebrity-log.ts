import { randomBytes } from "node:crypto";
import { RedisError, type RedisPipeline, type RedisReply, runRedisScript } from "@chirrup/platform";
import { replyError } from "./reply-error.ts";
import { readScript } from "./scripts.ts";

/** A post that was announced. */
export interface Announced {
  readonly authorId: bigint;
  readonly postId: bigint;
}

/** Up to where a log was read. In another life of it the place means nothing. */
export interface LogPlace {
  readonly life: string;
  readonly at: number;
}

/**
 * `celebrity-posts`: the posts that were pushed to nobody, of all authors, in the order of their coming; the last thousand
 * and some more. One key for all, so that one question tells a process what came since it asked last.
 *
 * A log has a life. Another one begins when the key was lost, or may have lost entries (lua/timeline.lua: the keeper).
 */
export interface CelebrityLog {
  /** Where no log is kept, nobody has read one whose place would still count, and nothing is done. One round trip. */
  announce(post: Announced): Promise<void>;
  /**
   * What was announced since a place, repeats too, and the place to go on from; undefined when that cannot be told: what
   * was made of the log so far counts no longer. One round trip.
   */
  readOn(
    from: LogPlace | undefined,
  ): Promise<{ readonly place: LogPlace; readonly announced: readonly Announced[] | undefined }>;
}

const key = "celebrity-posts";
/** A process that falls further behind begins anew. */
const keptEntries = 1_000;

export function createCelebrityLog({
  reading,
  writing,
}: {
  readonly reading: RedisPipeline;
  readonly writing: RedisPipeline;
}): CelebrityLog {
  const announceScript = readScript("announce", writing.isCluster);
  const readLogScript = readScript("read-log", reading.isCluster);
  return {
    async announce({ authorId, postId }) {
      const run = { keys: [key], args: [`${authorId}:${postId}`, keptEntries] } as const;
      const [reply] = await runRedisScript(writing, announceScript, [run]);
      if (reply instanceof RedisError) throw reply;
    },
    async readOn(from) {
      const fresh = randomBytes(8).toString("hex");
      const run = { keys: [key], args: [from?.life ?? "", from?.at ?? 0, fresh] } as const;
      const [reply] = await runRedisScript(reading, readLogScript, [run]);
      if (!Array.isArray(reply)) throw replyError(reply);
      const [life, at, entries] = reply as readonly RedisReply[];
      if (typeof life !== "string" || typeof at !== "number") throw replyError(reply);
      return { place: { life, at }, announced: typeof entries === "string" ? entriesIn(entries) : undefined };
    },
  };
}

function entriesIn(text: string): Announced[] {
  if (text === "") return [];
  return text.split(" ").map((entry) => {
    const [authorId = "", postId = ""] = entry.split(":");
    return { authorId: BigInt(authorId), postId: BigInt(postId) };
  });
}
