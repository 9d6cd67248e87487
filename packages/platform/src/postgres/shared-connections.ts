import type pg from "pg";

/** A pool's connection, while others use it too. */
export interface SharedConnection {
  readonly client: pg.PoolClient;
  /** Nobody gets it any more, and it is closed when all have done with it. */
  retire(): void;
}

/** The result of `use`, which sends its statements behind those of others who have the same connection. */
export type WithSharedConnection = <T>(use: (connection: SharedConnection) => Promise<T>) => Promise<T>;

/** The most who have a connection at once, so that a statement has less than as many before it. */
const maxSharing = 32;
/** A connection that is never idle goes back to its pool all the same, which looks at its age there. */
const maxHeldMs = 10_000;

interface Held {
  readonly client: Promise<pg.PoolClient>;
  readonly untilMs: number;
  sharing: number;
  retired: boolean;
  corked: boolean;
}

/**
 * Shares pipelined connections: the first who asks takes one from the pool, those who ask while it is in use send their
 * statements behind, and the last one gives it back. What is sent in one turn of the event loop is one write.
 *
 * *Why*: most of what a short statement costs is its way: a system call and a wake-up at either end. Those that are
 * under way together share them.
 *
 * @param take Takes a connection with `pipeline: true` from a pool.
 */
export function shareConnections(take: () => Promise<pg.PoolClient>): WithSharedConnection {
  let open: Held | undefined;

  function join(): Held {
    if (open === undefined || open.sharing === maxSharing || performance.now() > open.untilMs) {
      const untilMs = performance.now() + maxHeldMs;
      open = { client: take(), untilMs, sharing: 0, retired: false, corked: false };
    }
    open.sharing += 1;
    return open;
  }

  function close(held: Held): void {
    if (open === held) open = undefined;
  }

  return async (use) => {
    const held = join();
    let client: pg.PoolClient | undefined;
    try {
      client = await held.client;
      writeTogether(held, client);
      return await use({
        client,
        retire() {
          held.retired = true;
          close(held);
        },
      });
    } finally {
      held.sharing -= 1;
      if (held.sharing === 0) {
        close(held);
        client?.release(held.retired);
      }
    }
  };
}

/** Keeps what is sent on a connection back until this turn of the event loop is over. */
function writeTogether(held: Held, { connection: { stream } }: pg.PoolClient): void {
  if (held.corked) return;
  held.corked = true;
  stream.cork();
  setImmediate(() => {
    held.corked = false;
    stream.uncork();
  });
}
