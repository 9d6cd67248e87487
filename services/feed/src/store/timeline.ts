import { randomBytes } from "node:crypto";
import type { Redis } from "@chirrup/platform";
import { type Entry, type Slice, sliceOf } from "../domain/slice.ts";
import { readScript, type Run, runScript } from "./scripts.ts";

/**
 * Bounded timelines of posts, one for each owner; the layout is in lua/timeline.lua.
 *
 * What is kept is complete above a floor or it is not kept: a timeline that is missing, unfinished or below
 * its floor says nothing, and the reader asks the post service. Every call is safe to repeat, and all may
 * run at once with one another. A call is one round trip for all owners, and rejects when Redis does not
 * answer or refuses; then it may have been done for some.
 */
export interface Timelines {
  /**
   * For each owner, up to `limit` entries below the id `before`, and puts off the expiry; undefined where no
   * complete timeline is kept.
   */
  read(ownerIds: readonly bigint[], before: bigint, limit: number): Promise<(Slice | undefined)[]>;
  /** Adds a post where a timeline is kept. Resolves to how many took it that did not have it. */
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
  /** What `removeAuthor` compares; undefined when no timeline is kept. */
  version(ownerId: bigint): Promise<Version | undefined>;
  /**
   * Takes out all entries of an author. False, and nothing is done, when a build or a backfill was taken in
   * since `version`: the author may be followed again.
   */
  removeAuthor(ownerId: bigint, authorId: bigint, version: Version): Promise<boolean>;
}

/** A build that was begun: the life of the key it began with. */
export type Build = string & { readonly build: unique symbol };

/** How far a timeline has come, in terms of builds and backfills. */
export type Version = string & { readonly version: unique symbol };

/** How timelines are kept. */
export interface TimelineOptions {
  /** For reads alone, so that a page does not queue behind the pipelines of a fan-out. */
  readonly reading: Redis;
  /** For everything else. */
  readonly writing: Redis;
  /** What the keys begin with; the owner's id in braces follows. */
  readonly prefix: string;
  /** How many entries are kept in each. */
  readonly maxEntries: number;
  /** For how long one is kept after it was last read. */
  readonly ttlMs: number;
}

const scripts = {
  read: readScript("read"),
  push: readScript("push"),
  begin: readScript("begin"),
  commit: readScript("commit"),
  backfill: readScript("backfill"),
  version: readScript("version"),
  removeAuthor: readScript("remove-author"),
};

/** Timelines in Redis under one prefix. */
export function createTimelines({ reading, writing, prefix, maxEntries, ttlMs }: TimelineOptions): Timelines {
  const key = (ownerId: bigint): string => `${prefix}{${ownerId}}`;
  const runEach = async (
    script: keyof typeof scripts,
    ownerIds: readonly bigint[],
    args: Run["args"],
  ): Promise<unknown[]> => {
    if (ownerIds.length === 0) return [];
    const runs = ownerIds.map((ownerId) => ({ key: key(ownerId), args }));
    return runScript(script === "read" ? reading : writing, scripts[script], runs);
  };
  const run = async (script: keyof typeof scripts, ownerId: bigint, args: Run["args"]): Promise<unknown> =>
    (await runEach(script, [ownerId], args))[0];

  return {
    async read(ownerIds, before, limit) {
      const replies = await runEach("read", ownerIds, [digits(before), limit, ttlMs]);
      return replies.map((reply) => {
        if (!Array.isArray(reply)) return undefined;
        const [floor, ...members] = reply.map(String);
        return sliceOf(members.map(decode), limit, BigInt(floor ?? 0));
      });
    },
    async push(ownerIds, entry) {
      const replies = await runEach("push", ownerIds, [encode(entry), maxEntries]);
      return replies.filter((reply) => reply === 1).length;
    },
    async remove(ownerIds, entry) {
      if (ownerIds.length === 0) return;
      const commands = writing.pipeline();
      for (const ownerId of ownerIds) commands.zrem(key(ownerId), encode(entry));
      for (const [error] of (await commands.exec()) ?? []) if (error !== null) throw error;
    },
    async begin(ownerId) {
      const life = await run("begin", ownerId, [randomBytes(8).toString("hex"), ttlMs]);
      return typeof life === "string" ? (life as Build) : undefined;
    },
    async commit(ownerId, build, { floor, entries }) {
      const args = [build, digits(floor), maxEntries, ...entries.map(encode)];
      return (await run("commit", ownerId, args)) === 1;
    },
    async backfill(ownerIds, { floor, entries }) {
      await runEach("backfill", ownerIds, [digits(floor), maxEntries, ...entries.map(encode)]);
    },
    async version(ownerId) {
      const version = await run("version", ownerId, []);
      return typeof version === "string" ? (version as Version) : undefined;
    },
    async removeAuthor(ownerId, authorId, version) {
      return (await run("removeAuthor", ownerId, [`${authorId}`, version])) !== -1;
    },
  };
}

/** 19 digits hold every id, and `newest`. */
function digits(id: bigint): string {
  return id.toString().padStart(19, "0");
}

function encode({ postId, authorId }: Entry): string {
  return `${digits(postId)}:${authorId}`;
}

function decode(member: string): Entry {
  return { postId: BigInt(member.slice(0, 19)), authorId: BigInt(member.slice(20)) };
}
