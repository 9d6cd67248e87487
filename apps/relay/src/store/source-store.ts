import { loadScript, partitionOf, streamKeys } from "@chirrup/platform";
import type { Redis } from "ioredis";
import type { OutboxRow } from "../replication/pgoutput.ts";
import { formatPosition, parsePosition, type Position } from "../replication/position.ts";

const append = loadScript(new URL("../../lua/append.lua", import.meta.url));

/** Somebody else moved the source, or Redis forgot: what this process believes is no longer true. */
export class PositionMoved extends Error {
  override readonly name = "PositionMoved";
}

/** What Redis remembers of a source. */
export interface SourceState {
  /** Identifier of the Postgres server that the position is of. */
  readonly system: string;
  readonly position: Position;
}

/** The place of one source in the event Redis. All writes are atomic with the position they rest on. */
export interface SourceStore {
  /** Undefined when Redis knows nothing of the source, or a replay did not come to its end. */
  load(): Promise<SourceState | undefined>;
  /**
   * Appends rows in their order, from one position to the next. When it resolves, both are on disk. Throws
   * {@link PositionMoved}, having done nothing, when `from` is not where the source is; after any other
   * error `load` tells what happened.
   */
  append(rows: readonly OutboxRow[], from: Position, to: Position): Promise<void>;
  /** Begins to append without a position: until its end, the source counts as unknown. */
  beginReplay(): Promise<Replay>;
  /** Puts the source somewhere, whatever was there. */
  set(state: SourceState): Promise<void>;
}

export interface Replay {
  append(rows: readonly OutboxRow[]): Promise<void>;
  /** From here on the source is known to be at the state. */
  end(state: SourceState): Promise<void>;
}

export function createSourceStore(redis: Redis, source: string): SourceStore {
  const stateKey = `events:source:${source}`;

  async function run(rows: readonly OutboxRow[], from: string, to: string): Promise<void> {
    const keys = [stateKey];
    const indexes = new Map<string, number>();
    const args: (string | number | Buffer)[] = [from, to];
    for (const { topic, key, payload } of rows) {
      const stream = streamKeys.stream(topic, partitionOf(key));
      let index = indexes.get(stream);
      if (index === undefined) {
        index = keys.push(stream);
        indexes.set(stream, index);
      }
      args.push(index, key, payload);
    }
    const reply = await append(redis, keys, args);
    if (reply !== 1) throw new PositionMoved(`${source} is not at ${from}`);
  }

  return {
    async load() {
      const { system, position } = await redis.hgetall(stateKey);
      if (system === undefined || system === "" || position === undefined) return undefined;
      return { system, position: parsePosition(position) };
    },
    append: (rows, from, to) => run(rows, formatPosition(from), formatPosition(to)),
    async set({ system, position }) {
      await redis.hset(stateKey, { system, position: formatPosition(position) });
    },
    async beginReplay() {
      // Unique, so that a relay which lost the source cannot go on with a replay of its own.
      const token = `replay ${crypto.randomUUID()}`;
      await redis.hset(stateKey, { system: "", position: token });
      return {
        append: (rows) => run(rows, token, token),
        async end({ system, position }) {
          await run([], token, formatPosition(position));
          await redis.hset(stateKey, { system });
        },
      };
    },
  };
}
