import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import type { Logger } from "../log/index.ts";
import type { Metrics } from "../metrics/index.ts";
import { bigintArray } from "./bigint-array.ts";
import { routeToPrimary } from "./hosts.ts";
import { int8AsBigint } from "./int8-types.ts";
import {
  connectFailure,
  databaseUnavailable,
  endsConnection,
  hideOutage,
  isNotPrepared,
  isPoolExhausted,
  isTransientConflict,
} from "./postgres-errors.ts";
import { watchPool } from "./pool-metrics.ts";
import { shareConnections } from "./shared-connections.ts";

/** A prepared statement with its values. */
export interface Query {
  /** Name of the prepared statement, at most 63 bytes: one name for one text in the whole process. */
  name: string;
  /** SQL with $1, $2, … */
  text: string;
  /** An array of bigints is an int8[], and nothing else. */
  values?: readonly unknown[];
  /**
   * It waits for no lock and is over in a few milliseconds, commit included: outside of a transaction it shares a
   * connection with others of its kind, each sent without waiting for the one before. Default: false, a connection of
   * its own.
   */
  brief?: boolean;
}

export interface Queryable {
  /**
   * The rows of one statement: int8 as bigint, timestamptz as Date, bytea as Buffer.
   *
   * Throws UNAVAILABLE when the server is away, restarting or too slow (then it is unknown whether a
   * write was done), and pg's DatabaseError for any other refusal, such as a violated constraint.
   */
  query<Row>(query: Query): Promise<Row[]>;
}

/** A pool of connections to one server. */
export interface Postgres extends Queryable {
  /**
   * The result of `body`, whose statements have been committed together (READ COMMITTED).
   *
   * A serialization failure or a deadlock runs the body again, up to three times, so it must have no
   * effect outside the transaction. Any error rolls back and is thrown; a body that swallows the error of
   * a statement cannot commit. UNAVAILABLE out of the commit leaves it unknown whether it was done.
   */
  transaction<T>(body: (tx: Queryable) => Promise<T>): Promise<T>;
  /** One round trip; throws UNAVAILABLE when the server does not answer. */
  ping(): Promise<void>;
  /** Refuses new statements, waits for those in flight and ends the connections. */
  close(): Promise<void>;
}

export interface PostgresOptions {
  /**
   * postgres://user:password@host:port/database. With several `host:port`, commas between, connections go to the one
   * that is no standby, and find it again after a promotion.
   */
  url: string;
  /** Shown in pg_stat_activity. */
  applicationName: string;
  /** 10 unless given. A call waits at most 5 s for a free one. */
  maxConnections?: number;
  /** The server stops a statement after this, lock waits included. 5,000 unless given. */
  statementTimeoutMs?: number;
  log: Logger;
  metrics?: Metrics;
}

const connectTimeoutMs = 5_000;
const maxRetries = 3;
/** Beyond the server's own timeout: only a connection that is dead without a word gets there. */
const silenceMs = 5_000;
/** A process that hangs inside a transaction holds its locks for no longer than this. */
const idleInTransactionMs = 15_000;

/**
 * Opens a pool. Connections are made when they are needed, so a server that is away fails the calls, not
 * this one, and after its restart calls succeed again.
 */
export function openPostgres(options: PostgresOptions): Postgres {
  const { log, maxConnections = 10, statementTimeoutMs = 5_000 } = options;
  const route = routeToPrimary(options.url);
  const pool = new pg.Pool({
    ...route.pool,
    application_name: options.applicationName,
    max: maxConnections,
    types: int8AsBigint,
    pipeline: true,
    statement_timeout: statementTimeoutMs,
    query_timeout: statementTimeoutMs + silenceMs,
    idle_in_transaction_session_timeout: idleInTransactionMs,
    connectionTimeoutMillis: connectTimeoutMs,
    idleTimeoutMillis: 60_000,
    // Connections move to the new primary, and the server's memory for them is bounded.
    maxLifetimeSeconds: 1_800,
    keepAlive: true,
  });
  // An 'error' event without a listener would end the process. The pool's is for idle connections; those
  // in use need their own, though the statement under way fails with the same error.
  pool.on("error", (error) => log.warn({ err: error }, "an idle database connection was lost"));
  pool.on("connect", (client) =>
    client.on("error", (error) => log.debug({ err: error }, "a database connection was lost")),
  );

  if (options.metrics !== undefined) watchPool(options.metrics, pool, options.applicationName);

  /** A connection, after trying every server once. */
  async function connect(): Promise<pg.PoolClient> {
    for (let tried = 1; ; tried++) {
      const server = route.current;
      try {
        return await pool.connect();
      } catch (error) {
        if (tried === route.count || isPoolExhausted(error)) throw connectFailure(error);
        route.leave(server);
      }
    }
  }

  /** The result of `use` with a connection of its own, which goes back to the pool unless it is dead. */
  async function withConnection<T>(use: (connection: Connection) => Promise<T>): Promise<T> {
    const client = await connect();
    let dead = false;
    const discard = (): void => {
      dead = true;
    };
    const connection: Connection = {
      run: (query) => runOn(client, query, discard),
      discard,
    };
    try {
      return await use(connection);
    } finally {
      client.release(dead);
    }
  }

  const withShared = shareConnections(connect);

  /** The rows of a statement on a connection that others use too. */
  async function runBeside<Row>(query: Query): Promise<Row[]> {
    try {
      const { rows } = await withShared(({ client, retire }) => runOn(client, toConfig(query), retire));
      return rows as Row[];
    } catch (error) {
      // It came behind one of its name that was to prepare it, and failed in that.
      if (isNotPrepared(error)) return runAlone<Row>(query);
      throw error;
    }
  }

  async function runAlone<Row>(query: Query): Promise<Row[]> {
    const { rows } = await withConnection(({ run }) => run(toConfig(query)));
    return rows as Row[];
  }

  function attempt<T>(body: (tx: Queryable) => Promise<T>): Promise<T> {
    return withConnection(async ({ run, discard }) => {
      let over = false;
      // A connection takes one statement at a time, but a body may use Promise.all.
      let earlier: Promise<unknown> = Promise.resolve();
      const tx: Queryable = {
        query<Row>(query: Query) {
          const result = earlier.then(async () => {
            if (over) throw new Error(`statement ${query.name} came after the end of its transaction`);
            return (await run(toConfig(query))).rows as Row[];
          });
          earlier = result.catch(() => undefined);
          return result;
        },
      };
      try {
        await run({ text: "begin isolation level read committed" });
        const result = await body(tx);
        over = true;
        await earlier;
        // The server answers COMMIT with ROLLBACK, and no error, once a statement has failed.
        const { command } = await run({ text: "commit" });
        if (command !== "COMMIT") throw new Error("rolled back: the body went on after a failed statement");
        return result;
      } catch (error) {
        over = true;
        await earlier;
        // Without its connection the server rolls back by itself. The first error is the one that counts.
        await run({ text: "rollback" }).catch(discard);
        throw error;
      }
    });
  }

  let closed: Promise<void> | undefined;
  return {
    query: <Row>(query: Query) =>
      untilNoConflict(() => (query.brief === true ? runBeside<Row>(query) : runAlone<Row>(query))),
    transaction: (body) => untilNoConflict(() => attempt(body)),
    async ping() {
      await withConnection(({ run }) => run({ text: "select 1" }));
    },
    close: () => (closed ??= pool.end()),
  };
}

/** Does the work again when the server undid all of it in favour of another transaction. */
async function untilNoConflict<T>(work: () => Promise<T>): Promise<T> {
  for (let retries = 0; ; retries++) {
    try {
      return await work();
    } catch (error) {
      if (!isTransientConflict(error)) throw error;
      if (retries === maxRetries) throw databaseUnavailable("too many writes to the same rows", error);
      await sleep(Math.random() * 10 * 2 ** retries);
    }
  }
}

interface Connection {
  run(query: pg.QueryConfig<unknown[]>): Promise<pg.QueryResult>;
  /** Closes the connection instead of giving it back. */
  discard(): void;
}

/** Says by `ended` that the connection cannot be used again. */
async function runOn(
  client: pg.PoolClient,
  query: pg.QueryConfig<unknown[]>,
  ended: () => void,
): Promise<pg.QueryResult> {
  try {
    return await client.query(query);
  } catch (error) {
    if (endsConnection(error)) ended();
    throw hideOutage(error);
  }
}

function toConfig({ name, text, values = [] }: Query): pg.QueryConfig<unknown[]> {
  return { name, text, values: values.map((value) => bigintArray(value) ?? value) };
}
