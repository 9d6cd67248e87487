import { randomBytes } from "node:crypto";
import {
  RedisError,
  type RedisPipeline,
  type RedisReply,
  runRedisScript,
  slotOfTag,
} from "@chirrup/platform";
import { type Entry, type Slice, sliceOf } from "../domain/slice.ts";
import { newestOf } from "./post-ids.ts";
import { replyError } from "./reply-error.ts";
import { readScript } from "./scripts.ts";

/**
 * Bounded timelines of posts, one for each owner; the layout is in lua/timeline.lua. They hold the ids of posts, not
 * their authors.
 *
 * What is kept is complete above a floor or it is not kept: a timeline that is missing, unfinished or below
 * its floor says nothing, and the reader asks the post service. Every call is safe to repeat, and all may
 * run at once with one another. A call is one round trip for all owners, and rejects when Redis does not
 * answer or refuses; then it may have been done for some.
 */
export interface Timelines {
  /**
   * For each owner, up to `limit` entries below the id `before`, and puts off the expiry; undefined where no
   * complete timeline is kept, or where its keeper is another now (lua/timeline.lua).
   */
  read(ownerIds: readonly bigint[], before: bigint, limit: number): Promise<(Slice | undefined)[]>;
  /** The same for one owner, and a text of the owner's in the same step. */
  readBeside(
    ownerId: bigint,
    besideKey: string,
    before: bigint,
    limit: number,
  ): Promise<{ readonly slice: Slice | undefined; readonly beside: string | undefined }>;
  /** Adds a post where a timeline is kept. Resolves to how many are kept, also where the post was there. */
  push(ownerIds: readonly bigint[], entry: Entry): Promise<number>;
  /** Takes a post out that will never come back. */
  remove(ownerIds: readonly bigint[], entry: Entry): Promise<void>;
  /**
   * Starts to keep a timeline: pushes and backfills land in it from now on, `read` does not see it yet.
   * Whatever is read for `commit` must be read after this. Undefined when a complete one is kept.
   */
  begin(ownerId: bigint): Promise<Build | undefined>;
  /**
   * Completes a timeline with what was found. False when it is not the one that `begin` started, so pushes
   * may be missing, or when another build completed it.
   */
  commit(ownerId: bigint, build: Build, found: Slice): Promise<boolean>;
  /** Adds an author's recent posts where a timeline is kept, finished or not. */
  backfill(ownerIds: readonly bigint[], posts: Slice): Promise<void>;
  /** What `removePosts` compares; undefined when no timeline is kept. */
  version(ownerId: bigint): Promise<Version | undefined>;
  /**
   * Takes out posts of an author. False, and nothing is done, when a build or a backfill was taken in since
   * `version`: the author may be followed again.
   */
  removePosts(ownerId: bigint, posts: readonly Entry[], version: Version): Promise<boolean>;
  /** Forgets timelines, so that they are built anew. */
  drop(ownerIds: readonly bigint[]): Promise<void>;
}

/** A build that was begun: the life of the key it began with. */
export type Build = string & { readonly build: unique symbol };

/** How far a timeline has come, in terms of builds and backfills. */
export type Version = string & { readonly version: unique symbol };

/** How timelines are kept. */
export interface TimelineOptions {
  /** For reads alone, so that a page does not queue behind the pushes of a fan-out. */
  readonly reading: RedisPipeline;
  /** For everything else. */
  readonly writing: RedisPipeline;
  /** What the keys begin with; the owner's id in braces follows. */
  readonly prefix: string;
  /** How many entries are left in each when it is trimmed. */
  readonly maxEntries: number;
  /** For how long one is kept after it was last read. */
  readonly ttlMs: number;
}

function readScripts(inCluster: boolean) {
  return {
    read: readScript("read", inCluster),
    begin: readScript("begin", inCluster),
    commit: readScript("commit", inCluster),
    backfill: readScript("backfill", inCluster),
    trim: readScript("trim", inCluster),
    version: readScript("version", inCluster),
    removePost: readScript("remove-post", inCluster),
    removePosts: readScript("remove-posts", inCluster),
    drop: readScript("drop", inCluster),
  };
}
type Script = keyof ReturnType<typeof readScripts>;

/** So many pushes a timeline takes beyond its size before it is trimmed: a trim costs as much as many pushes. */
export function slackOf(maxEntries: number): number {
  return Math.ceil(maxEntries / 8);
}

/** Timelines in Redis under one prefix. */
export function createTimelines({ reading, writing, prefix, maxEntries, ttlMs }: TimelineOptions): Timelines {
  const scripts = readScripts(writing.isCluster);
  const slack = slackOf(maxEntries);
  const longest = maxEntries + slack + 1;
  /**
   * Each length is the reply to one push. So of pushes under way at once to a timeline that has become too long one
   * trims it; and another a few pushes later, should that one have failed.
   */
  const trimAgainAfter = Math.ceil(slack / 8);

  async function runEach(
    script: Script,
    ownerIds: readonly (bigint | string)[],
    args: readonly (string | number | bigint)[],
  ): Promise<RedisReply[]> {
    if (ownerIds.length === 0) return [];
    const runs = ownerIds.map((ownerId) => ({ keys: [`${prefix}{${ownerId}}`] as const, args }));
    const replies = await runRedisScript(script === "read" ? reading : writing, scripts[script], runs);
    for (const reply of replies) if (reply instanceof RedisError) throw reply;
    return replies;
  }
  async function run(
    script: Script,
    ownerId: bigint,
    args: readonly (string | number | bigint)[],
  ): Promise<RedisReply | undefined> {
    return (await runEach(script, [ownerId], args))[0];
  }

  return {
    async read(ownerIds, before, limit) {
      const replies = await runEach("read", ownerIds, [before, limit, ttlMs]);
      return replies.map((reply) => sliceIn(reply, before, limit));
    },
    async readBeside(ownerId, besideKey, before, limit) {
      const keys = [`${prefix}{${ownerId}}`, besideKey] as const;
      const [reply] = await runRedisScript(reading, scripts.read, [{ keys, args: [before, limit, ttlMs] }]);
      if (!Array.isArray(reply)) throw replyError(reply);
      const [entries, beside] = reply as readonly RedisReply[];
      return {
        slice: sliceIn(entries, before, limit),
        beside: typeof beside === "string" ? beside : undefined,
      };
    },
    async push(ownerIds, { postId }) {
      const owners = ownerIds.map(String);
      const push = encodePush(prefix, String(postId));
      const lengths = await writing.run({
        size: owners.length,
        slot: (at) => slotOfTag(owners[at] ?? ""),
        encode: (at) => push(owners[at] ?? ""),
      });
      let kept = 0;
      const long: string[] = [];
      for (let at = 0; at < lengths.length; at += 1) {
        const length = lengths[at];
        if (typeof length !== "number") throw replyError(length);
        if (length > 0) kept += 1;
        if (length > longest && (length - longest - 1) % trimAgainAfter === 0) long.push(owners[at] ?? "");
      }
      await runEach("trim", long, [maxEntries]);
      return kept;
    },
    async remove(ownerIds, { postId }) {
      await runEach("removePost", ownerIds, [postId]);
    },
    async begin(ownerId) {
      const life = await run("begin", ownerId, [randomBytes(8).toString("hex"), ttlMs]);
      return typeof life === "string" ? (life as Build) : undefined;
    },
    async commit(ownerId, build, { floor, entries }) {
      return (await run("commit", ownerId, [build, floor, maxEntries, ...entries.map(idOf)])) === 1;
    },
    async backfill(ownerIds, { floor, entries }) {
      await runEach("backfill", ownerIds, [floor, maxEntries, ...entries.map(idOf)]);
    },
    async drop(ownerIds) {
      await runEach("drop", ownerIds, []);
    },
    async version(ownerId) {
      const version = await run("version", ownerId, []);
      return typeof version === "string" ? (version as Version) : undefined;
    },
    async removePosts(ownerId, posts, version) {
      return (await run("removePosts", ownerId, [version, ...posts.map(idOf)])) !== -1;
    },
  };
}

/** What read.lua says of a timeline. */
function sliceIn(reply: RedisReply | undefined, before: bigint, limit: number): Slice | undefined {
  if (typeof reply !== "string") return undefined;
  const ids = reply.split(" ");
  const floor = ids.pop() ?? "0";
  const newest = newestOf(ids, { before: String(before), floor, limit });
  const entries = newest.map((id) => ({ postId: BigInt(id) }));
  return sliceOf(entries, limit, BigInt(floor));
}

const idOf = ({ postId }: Entry): bigint => postId;

/** `RPUSHX {prefix}{owner} {id}` for one id and many owners: all but the owner is written down once. */
function encodePush(prefix: string, id: string): (owner: string) => string {
  const heads: string[] = [];
  const tail = `}\r\n$${id.length}\r\n${id}\r\n`;
  return (owner) => {
    const { length } = owner;
    heads[length] ??= `*3\r\n$6\r\nRPUSHX\r\n$${prefix.length + length + 2}\r\n${prefix}{`;
    return heads[length] + owner + tail;
  };
}
