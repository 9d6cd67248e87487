import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { testLog, testPostgres, waitFor } from "@chirrup/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { migrate, openPostgres, platformMigrations, type Postgres } from "../src/postgres/index.ts";

const log = testLog();
let url: string;
let folder: URL;
let postgres: Postgres;

beforeEach(async () => {
  url = await (await testPostgres()).createDatabase();
  folder = pathToFileURL(await mkdtemp(join(tmpdir(), "chirrup-migrations-")));
  postgres = openPostgres({ url, applicationName: "test", log });
});
afterEach(async () => {
  await postgres.close();
  await rm(folder, { recursive: true });
});

const file = (name: string, text: string): Promise<void> =>
  writeFile(new URL(`${folder.href}/${name}`), text);
const run = () => migrate({ url, folders: [folder], log });

async function tables(): Promise<string[]> {
  const rows = await postgres.query<{ name: string }>({
    name: "tables",
    text: "select relname as name from pg_class where relkind = 'r' and relname like 't\\_%' order by 1",
  });
  return rows.map(({ name }) => name);
}

describe("migrate", () => {
  it("applies the files by name, once", async () => {
    await file("0002_second.sql", "alter table t_one add note text; create table t_two (id bigint);");
    await file("0001_first.sql", "create table t_one (id bigint);");
    expect(await run()).toEqual({ applied: ["0001_first", "0002_second"] });
    expect(await run()).toEqual({ applied: [] });
    expect(await tables()).toEqual(["t_one", "t_two"]);

    await file("0003_third.sql", "drop table t_two;");
    expect(await run()).toEqual({ applied: ["0003_third"] });
    expect(await tables()).toEqual(["t_one"]);
  });

  it("applies them once when many processes start together", async () => {
    await file("0001_slow.sql", "select pg_sleep(0.3); create table t_one (id bigint);");
    const results = await Promise.all(Array.from({ length: 6 }, run));
    expect(results.flatMap(({ applied }) => applied)).toEqual(["0001_slow"]);
  });

  it("applies all or nothing, and names the file that failed", async () => {
    await file("0001_good.sql", "create table t_one (id bigint);");
    await file("0002_bad.sql", "create table t_two (id bigint); create table t_one (id bigint);");
    await expect(run()).rejects.toThrow("migration 0002_bad failed");
    expect(await tables()).toEqual([]);
  });

  it("takes a later file of one series after a later one of the other", async () => {
    await file("0005_service.sql", "create table t_one (id bigint);");
    await run();
    await file("0002_other_series.sql", "create table t_two (id bigint);");
    expect(await run()).toEqual({ applied: ["0002_other_series"] });
  });

  it("leaves a database alone that a newer release has migrated", async () => {
    await file("0001_first.sql", "create table t_one (id bigint);");
    await file("0002_newer.sql", "create table t_two (id bigint);");
    await run();
    await rm(new URL(`${folder.href}/0002_newer.sql`));
    expect(await run()).toEqual({ applied: [] });
  });

  it("refuses files that it could take for something else", async () => {
    await file("first.sql", "select 1;");
    await expect(run()).rejects.toThrow("first.sql is not named like a migration");
    await rm(new URL(`${folder.href}/first.sql`));
    await file("0001_first.sql", "select 1;");
    await expect(migrate({ url, folders: [folder, folder], log })).rejects.toThrow(
      "two migrations are named",
    );
  });

  it("gives way when a lock is held for long, with no effect", async () => {
    await file("0001_first.sql", "create table t_one (id bigint);");
    await run();
    await file("0002_locked.sql", "create table t_two (id bigint); alter table t_one add note text;");
    await postgres.transaction(async (tx) => {
      await tx.query({ name: "hold", text: "select * from t_one" });
      await expect(run()).rejects.toThrow("migration 0002_locked failed");
    });
    expect(await tables()).toEqual(["t_one"]);
    expect(await run()).toEqual({ applied: ["0002_locked"] });
  });

  it("makes the platform's tables", async () => {
    const { applied } = await migrate({ url, folders: [platformMigrations, folder], log });
    expect(applied).toEqual([
      "p0001_outbox",
      "p0002_id_nodes",
      "p0003_idempotency_keys",
      "p0004_bounded_texts",
      "p0005_bounded_texts_hold",
    ]);
    await waitFor(
      async () => (await postgres.query({ name: "nodes", text: "select 1 from id_nodes" })).length === 1024,
    );
  });
});
