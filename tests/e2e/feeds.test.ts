import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { openRedis } from "@chirrup/platform";
import { testLog, waitFor } from "@chirrup/testkit";
import { afterAll, describe, expect, inject, it } from "vitest";
import { chirrup, killedChirrup } from "./support/chirrup.ts";

const home = inject("platformHome");
const { access } = JSON.parse(readFileSync(join(home, "state.json"), "utf8")) as {
  access: { redisUrl: string };
};
const redis = openRedis({ url: access.redisUrl, log: testLog(), name: "feeds-test" });
afterAll(() => redis.disconnect());

async function run(...words: string[]): Promise<{ code: number; result: Record<string, number> }> {
  const { code, stdout } = await chirrup(home, ...words, "--json");
  return { code, result: JSON.parse(stdout) as Record<string, number> };
}

const homes = async (): Promise<string[]> => redis.keys("home:*");

describe("feeds of a graph that was loaded in bulk", () => {
  it("are right, also after they were lost and rebuilt", async () => {
    const graph = ["--users", "400", "--max-followers", "200", "--posts", "2000"];
    const seeded = await run("seed", "--synthetic", ...graph);
    expect(seeded).toMatchObject({ code: 0, result: { users: 400, posts: 2_000 } });
    // The same command finds all of it there.
    expect((await run("seed", "--synthetic", ...graph)).result["follows"]).toBe(seeded.result["follows"]);
    expect(await run("audit", "--sample", "60")).toMatchObject({
      code: 0,
      result: { readers: 60, differences: 0 },
    });

    await redis.flushall();
    const rebuilt = await run("feeds", "rebuild");
    expect(rebuilt.code).toBe(0);
    expect(rebuilt.result["built"]).toBe(rebuilt.result["readers"]);
    expect(await homes()).toHaveLength(rebuilt.result["readers"] ?? 0);
    expect((await run("feeds", "rebuild")).result["built"]).toBe(0);
    expect((await run("audit", "--sample", "60")).result["differences"]).toBe(0);
  });

  it("are rebuilt on where a rebuild was killed", async () => {
    await redis.flushall();
    const file = join(home, "feeds", "rebuild.json");
    await killedChirrup(home, ["feeds", "rebuild", "--json"], () =>
      waitFor(() => existsSync(file), { timeoutMs: 100_000 }),
    );
    const before = (await homes()).length;
    const rest = await run("feeds", "rebuild");
    expect(rest.code).toBe(0);
    expect(await homes()).toHaveLength(rest.result["readers"] ?? 0);
    expect(before).toBeLessThan(rest.result["readers"] ?? 0);
    expect(existsSync(file)).toBe(false);
  });

  it("are audited on where an audit was killed", async () => {
    const whole = await run("audit");
    const file = join(home, "audits", "feeds.json");
    expect(existsSync(file)).toBe(false);
    await killedChirrup(home, ["audit", "--json"], () =>
      waitFor(() => existsSync(file), { timeoutMs: 100_000 }),
    );
    const { done, pages } = JSON.parse(readFileSync(file, "utf8")) as { done: number; pages: number };
    expect(done).toBeGreaterThan(0);
    expect(done).toBeLessThan(whole.result["readers"] ?? 0);
    expect(pages).toBeLessThan(whole.result["pages"] ?? 0);
    // Each reader's pages are counted once, whoever read them.
    expect(await run("audit", "--resume")).toEqual(whole);
    expect(existsSync(file)).toBe(false);
  });

  it("are put right by the audit when a timeline has lost a post", async () => {
    for (const key of await homes()) if ((await redis.llen(key)) > 5) await redis.rpop(key);
    const spoilt = await run("audit", "--sample", "60", "--settle-ms", "0");
    expect(spoilt.code).toBe(1);
    expect(spoilt.result["differences"]).toBeGreaterThan(0);
    const repaired = await run("audit", "--settle-ms", "0", "--repair");
    expect(repaired.code).toBe(0);
    expect(repaired.result["repaired"]).toBe(repaired.result["differences"]);
    expect((await run("audit")).result["differences"]).toBe(0);
  });
});
