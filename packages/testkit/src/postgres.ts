import { randomBytes } from "node:crypto";
import pg from "pg";
import { inject } from "vitest";
import "./global-setup.ts";

export interface TestPostgres {
  readonly superuserUrl: string;
  /** Makes an empty database and returns a URL of its owner, who is no superuser. */
  createDatabase(name?: string): Promise<string>;
}

/** The Postgres server of this run. */
export function testPostgres(): Promise<TestPostgres> {
  const superuserUrl = inject("postgresSuperuserUrl");
  return Promise.resolve({
    superuserUrl,
    async createDatabase(name = "test") {
      const database = `${name}_${randomBytes(6).toString("hex")}`;
      const client = new pg.Client({ connectionString: superuserUrl });
      await client.connect();
      try {
        await client.query(`CREATE ROLE ${database} LOGIN PASSWORD 'test'`);
        await client.query(`CREATE DATABASE ${database} OWNER ${database}`);
      } finally {
        await client.end();
      }
      const url = new URL(superuserUrl);
      url.username = database;
      url.password = "test";
      url.pathname = `/${database}`;
      return url.href;
    },
  });
}
