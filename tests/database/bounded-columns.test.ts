import { migrate, openPostgres, platformMigrations, type Postgres } from "@chirrup/platform";
import { testLog, testPostgres } from "@chirrup/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/** The longest value that a column takes, and one that is longer, as SQL. */
interface Bound {
  readonly longest: string;
  readonly longer: string;
}

/** Of any characters: outside of the basic plane, each is four bytes and two units of UTF-16. */
const characters = (most: number): Bound => repeated("'😀'", most);
const ascii = (most: number): Bound => repeated("'a'", most);
const octets = (most: number): Bound => ({
  longest: `decode(repeat('00', ${most}), 'hex')`,
  longer: `decode(repeat('00', ${most + 1}), 'hex')`,
});

function repeated(sign: string, most: number): Bound {
  return { longest: `repeat(${sign}, ${most})`, longer: `repeat(${sign}, ${most + 1})` };
}

/** What the migrator itself keeps. */
const migrator = {
  "kysely_migration.name": characters(255),
  "kysely_migration.timestamp": characters(255),
  "kysely_migration_lock.id": characters(255),
};

const platform = {
  ...migrator,
  "id_nodes.holder": characters(400),
  "idempotency_keys.key": characters(128),
  "idempotency_keys.method": characters(200),
  "idempotency_keys.request_hash": octets(32),
  "idempotency_keys.response": octets(4_194_304),
  "outbox.key": characters(100),
  "outbox.payload": octets(65_536),
  "outbox.topic": characters(100),
};

/** Every column of variable width, by the service whose database it is in. */
const bounds: Readonly<Record<string, Readonly<Record<string, Bound>>>> = {
  user: {
    ...platform,
    "accounts.bio": characters(160),
    "accounts.display_name": characters(50),
    "accounts.email": characters(254),
    "accounts.username": ascii(30),
    "accounts.username_skeleton": ascii(60),
    "attempts.key": octets(16),
    "credentials.password_hash": {
      longest: "'$argon2id$' || repeat('a', 190)",
      longer: "'$argon2id$' || repeat('a', 191)",
    },
    "known_addresses.address_key": octets(16),
    "mail_queue.email": characters(254),
    "mail_queue.kind": characters(40),
    "mail_tokens.email": characters(254),
    "mail_tokens.kind": { longest: "'reset_password'", longer: "'reset_passwords'" },
    "mail_tokens.token_hash": octets(32),
    "recovery_codes.code_hash": octets(32),
    "refresh_tokens.token_hash": octets(32),
    "second_factors.sealed_secret": octets(200),
    "security_events.address": characters(200),
    "security_events.kind": characters(40),
    "security_events.user_agent": characters(200),
    "sessions.address": characters(200),
    "sessions.end_reason": characters(40),
    "sessions.previous_token_hash": octets(32),
    "sessions.token_hash": octets(32),
    "sessions.user_agent": characters(200),
    "sign_in_challenges.token_hash": octets(32),
    "signing_keys.kid": characters(100),
    // A string of JSON has two quotation marks.
    "signing_keys.public_jwk": {
      longest: "to_jsonb(repeat('a', 998))",
      longer: "to_jsonb(repeat('a', 999))",
    },
    "signing_keys.sealed_private_key": octets(1_000),
  },
  post: {
    ...platform,
    "comments.content": characters(5_000),
    "post_versions.content": characters(5_000),
    "posts.content": characters(5_000),
  },
  follow: platform,
};

describe.each(Object.keys(bounds))("the database of %s", (service) => {
  const expected = bounds[service] ?? {};
  let postgres: Postgres;
  beforeAll(async () => {
    const url = await (await testPostgres()).createDatabase(service);
    const log = testLog();
    const own = new URL(`../../services/${service}/migrations/`, import.meta.url);
    await migrate({ url, folders: [platformMigrations, own], log });
    postgres = openPostgres({ url, applicationName: "test", maxConnections: 1, log });
    await postgres.query({
      name: "refusal",
      text: `CREATE FUNCTION refusal(statement text) RETURNS text LANGUAGE plpgsql AS $$
             BEGIN
               EXECUTE statement;
               RETURN NULL;
             EXCEPTION WHEN check_violation OR string_data_right_truncation THEN
               RETURN SQLSTATE;
             END $$`,
    });
  });
  afterAll(() => postgres.close());

  it("has no column of variable width but these", async () => {
    const rows = await postgres.query<{ column: string }>({
      name: "columns",
      text: `SELECT c.relname || '.' || a.attname AS column
             FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type t ON t.oid = a.atttypid
             WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
               AND a.attnum > 0 AND NOT a.attisdropped AND t.typlen = -1`,
    });
    expect(rows.map(({ column }) => column).toSorted()).toEqual(Object.keys(expected).toSorted());
  });

  it("has held all rows to all constraints", async () => {
    const rows = await postgres.query<{ name: string }>({
      name: "not_valid",
      text: "SELECT conname AS name FROM pg_constraint WHERE NOT convalidated",
    });
    expect(rows).toEqual([]);
  });

  it.each(Object.entries(expected))(
    "%s takes the longest and refuses a longer one",
    async (column, bound) => {
      const [table = "", name = ""] = column.split(".");
      await makeProbe(table);
      const insert = async (value: string): Promise<string | null | undefined> => {
        const [row] = await postgres.query<{ refusal: string | null }>({
          name: `insert_${value}`.slice(0, 60),
          text: "SELECT refusal($1) AS refusal",
          values: [`INSERT INTO probe (${name}) VALUES (${value})`],
        });
        return row?.refusal;
      };
      expect(await insert(bound.longest)).toBeNull();
      expect(await insert(bound.longer)).toMatch(/^(?:23514|22001)$/);
    },
  );

  /** A table with the columns and the bounds of another, and without what one column asks of the others. */
  async function makeProbe(table: string): Promise<void> {
    await postgres.query({
      name: `probe_${table}`,
      text: `DO $$
             DECLARE it record;
             BEGIN
               DROP TABLE IF EXISTS probe;
               CREATE TABLE probe (LIKE ${table} INCLUDING CONSTRAINTS);
               FOR it IN SELECT attname FROM pg_attribute
                         WHERE attrelid = 'probe'::regclass AND attnum > 0 AND attnotnull LOOP
                 EXECUTE format('ALTER TABLE probe ALTER %I DROP NOT NULL', it.attname);
               END LOOP;
               FOR it IN SELECT conname FROM pg_constraint WHERE conrelid = 'probe'::regclass AND contype = 'c'
                         AND pg_get_constraintdef(oid) !~ '_length\\(| ~ |= ANY' LOOP
                 EXECUTE format('ALTER TABLE probe DROP CONSTRAINT %I', it.conname);
               END LOOP;
             END $$`,
    });
  }
});
