import { readFileSync } from "node:fs";
import { join } from "node:path";
import { openPostgres } from "@chirrup/platform";
import { testLog } from "@chirrup/testkit";
import { describe, expect, inject, it } from "vitest";
import { call, newPerson, postAs } from "./support/api.ts";
import { chirrup } from "./support/chirrup.ts";

const home = inject("platformHome");

/** Does something to a service's database behind its back. */
async function tamper(database: "post" | "follow", text: string): Promise<void> {
  const state = readFileSync(join(home, "state.json"), "utf8");
  const { access } = JSON.parse(state) as { access: { databases: Record<string, string> } };
  const postgres = openPostgres({
    url: access.databases[database] ?? "",
    applicationName: "tamper",
    log: testLog(),
  });
  await postgres.query({ name: `tamper-${database}`, text });
  await postgres.close();
}

async function auditCounters(...flags: string[]): Promise<{ code: number; result: unknown }> {
  const { code, stdout } = await chirrup(home, "audit", "counters", "--json", ...flags);
  return { code, result: JSON.parse(stdout) };
}

describe("chirrup audit counters", () => {
  it("finds numbers that are not those of their rows, and puts them right", async () => {
    const [ann, bob] = await Promise.all([newPerson("ann"), newPerson("bob")]);
    const postId = await postAs(ann, "count me");
    await call("PUT", `/api/v1/posts/${postId}/like`, { token: bob.token });
    await call("POST", `/api/v1/posts/${postId}/comments`, { token: bob.token, body: { content: "one" } });
    await call("PUT", `/api/v1/users/${ann.id}/follow`, { token: bob.token });
    expect(await auditCounters()).toEqual({
      code: 0,
      result: { counters: 4, differences: 0, repaired: 0, first: null },
    });

    await tamper("post", `delete from post_counts where post_id = ${postId}`);
    await tamper("follow", `insert into follower_deltas (followee_id, delta) values (${ann.id}, 3)`);
    const first = { counter: "likes", id: postId, kept: "0", rows: "1" };
    expect(await auditCounters()).toEqual({
      code: 1,
      result: { counters: 4, differences: 3, repaired: 0, first },
    });
    expect(await auditCounters("--repair")).toEqual({
      code: 0,
      result: { counters: 4, differences: 3, repaired: 3, first },
    });
    expect((await auditCounters()).result).toMatchObject({ differences: 0 });

    const { post } = (await call("GET", `/api/v1/posts/${postId}`, { token: bob.token })).json;
    expect(post).toMatchObject({ likeCount: "1", commentCount: "1" });
    const counts = await call("GET", `/api/v1/users/${ann.id}/follow-counts`, { token: bob.token });
    expect(counts.json).toEqual({ counts: { followers: "1", following: "0" } });
    const own = await call("GET", `/api/v1/users/${bob.id}/follow-counts`, { token: bob.token });
    expect(own.json).toEqual({ counts: { followers: "0", following: "1" } });
  });
});
