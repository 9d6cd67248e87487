import { waitFor } from "@chirrup/testkit";
import { describe, expect, inject, it } from "vitest";
import { chirrup, statusOf } from "./support/chirrup.ts";

const victims = ["relay", "feed", "post", "follow", "user", "gateway"] as const;

describe("a platform whose parts are killed", () => {
  it("loses nothing: the seed goes on and every feed is right", { timeout: 240_000 }, async () => {
    const home = inject("platformHome");
    const seeding = chirrup(home, "seed", "--users", "60", "--posts", "1500", "--concurrency", "8", "--json");
    let seeded = false;
    void seeding.finally(() => (seeded = true));
    let kills = 0;
    for (let round = 0; !seeded; round += 1) {
      const victim = victims[round % victims.length];
      const before = await statusOf(home);
      const pid = before.parts?.find((part) => part.name === victim)?.pid;
      if (before.ready && pid !== null && pid !== undefined) {
        process.kill(pid, "SIGKILL");
        kills += 1;
        await waitFor(async () => seeded || (await statusOf(home)).ready, {
          timeoutMs: 60_000,
          intervalMs: 100,
          what: `${victim} started again`,
        });
      }
    }
    const result = await seeding;
    expect(result.code, result.stderr).toBe(0);
    expect(JSON.parse(result.stdout)).toMatchObject({ posts: 1500 });
    expect(kills).toBeGreaterThan(2);
    await waitFor(async () => (await statusOf(home)).ready, { timeoutMs: 60_000 });

    const audit = await chirrup(home, "audit", "--json", "--settle-ms", "30000", "--page-size", "50");
    expect(JSON.parse(audit.stdout), audit.stdout).toMatchObject({ differences: 0, first: null });
    expect(audit.code).toBe(0);
    expect((JSON.parse(audit.stdout) as { pages: number }).pages).toBeGreaterThan(60);
  });
});
