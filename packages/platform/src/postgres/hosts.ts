import pg from "pg";

/**
 * "postgres://user:word@one:5432,two:5432/base" as one URL for each host, as libpq has it ("Specifying Multiple
 * Hosts"). Empty when it is no such URL.
 */
export function urlsOfHosts(url: string): string[] {
  const [, before = "", hosts = "", after = ""] = /^(\w+:\/\/(?:[^@/?#]*@)?)([^@/?#]+)(.*)$/s.exec(url) ?? [];
  const urls = hosts.split(",").map((host) => `${before}${host}${after}`);
  return urls.every((each) => hosts !== "" && URL.canParse(each)) ? urls : [];
}

/** Which of several servers new connections go to: the one that takes writes. */
export interface PrimaryRoute {
  /** How many servers there are. */
  readonly count: number;
  /** For pg.Pool: connects to the server that is tried now, and refuses one that is a standby. */
  readonly pool: Pick<pg.PoolConfig, "Client" | "onConnect">;
  /** The server that is tried now. */
  readonly current: number;
  /** The next server is tried from now on, unless somebody has gone on from `left` already. */
  leave(left: number): void;
}

/**
 * With one host, every connection goes there and is not questioned: its name moves with the primary. With several, the
 * first that is no standby is the primary, found again when connections fail: libpq's
 * `target_session_attrs=read-write`.
 */
export function routeToPrimary(url: string): PrimaryRoute {
  const urls = urlsOfHosts(url);
  if (urls.length === 0) throw new Error("the database's URL is not one of Postgres");
  let current = 0;
  class Client extends pg.Client {
    constructor(options?: pg.ClientConfig) {
      super({ ...options, connectionString: urls[current] });
    }
  }
  return {
    count: urls.length,
    // The pool waits for the promise, though its declared type does not say so.
    // oxlint-disable-next-line typescript/no-misused-promises
    pool: urls.length === 1 ? { Client } : { Client, onConnect: refuseStandby },
    get current() {
      return current;
    },
    leave(left) {
      if (left === current) current = (current + 1) % urls.length;
    },
  };
}

/** The URL of the one host that takes writes; with one host, the URL itself. Throws when none of several does. */
export async function urlOfPrimary(url: string): Promise<string> {
  const urls = urlsOfHosts(url);
  if (urls.length <= 1) return url;
  const faults: unknown[] = [];
  for (const each of urls) {
    const client = new pg.Client({ connectionString: each, connectionTimeoutMillis: 5_000 });
    client.on("error", () => undefined);
    try {
      await client.connect();
      await refuseStandby(client);
      return each;
    } catch (error) {
      faults.push(error);
    } finally {
      await client.end().catch(() => undefined);
    }
  }
  throw new AggregateError(faults, "none of the database's hosts takes writes");
}

async function refuseStandby(client: pg.ClientBase): Promise<void> {
  const { rows } = await client.query<{ standby: boolean }>("select pg_is_in_recovery() as standby");
  if (rows[0]?.standby !== false) throw new Error("the server is a standby");
}
