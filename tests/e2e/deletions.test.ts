import { readFileSync } from "node:fs";
import { join } from "node:path";
import { openPostgres } from "@chirrup/platform";
import { testLog, waitFor } from "@chirrup/testkit";
import { describe, expect, inject, it } from "vitest";
import { call, newPerson, postAs } from "./support/api.ts";
import { chirrup, pidOf } from "./support/chirrup.ts";

const home = inject("platformHome");

interface Result {
  readonly deleted: number;
  readonly unfinished: number;
  readonly first: { readonly userId: string; readonly database: string; readonly where: string } | null;
}

async function auditDeletions(): Promise<Result & { code: number }> {
  const { code, stdout } = await chirrup(home, "audit", "deletions", "--json");
  return { code, ...(JSON.parse(stdout) as Result) };
}

const allFinished = () =>
  waitFor(async () => (await auditDeletions()).code === 0, { what: "all deletions to be finished" });

describe("chirrup audit deletions", () => {
  it("tells that a deletion is not finished, and when it is", async () => {
    const [gone, other] = await Promise.all([newPerson("gone"), newPerson("other")]);
    await call("PUT", `/api/v1/users/${other.id}/follow`, { token: gone.token });
    await call("PUT", `/api/v1/users/${gone.id}/follow`, { token: other.token });
    await postAs(gone, "soon gone");
    const staying = await postAs(other, "staying");
    await call("PUT", `/api/v1/posts/${staying}/like`, { token: gone.token });
    await allFinished();
    const { deleted } = await auditDeletions();

    const post = await pidOf(home, "post");
    process.kill(post, "SIGSTOP");
    try {
      expect((await call("DELETE", "/api/v1/me", { token: gone.token })).status).toBe(200);
      expect(await auditDeletions()).toMatchObject({
        code: 1,
        deleted: deleted + 1,
        unfinished: 1,
        first: { userId: gone.id, database: "post", where: "the event" },
      });
    } finally {
      process.kill(post, "SIGCONT");
    }
    await allFinished();
    expect(await auditDeletions()).toMatchObject({ deleted: deleted + 1, unfinished: 0, first: null });

    const { access } = JSON.parse(readFileSync(join(home, "state.json"), "utf8")) as {
      access: { databases: Record<string, string> };
    };
    const url = access.databases["post"] ?? "";
    const postgres = openPostgres({ url, applicationName: "tamper", log: testLog() });
    try {
      const values = [gone.id, staying];
      await postgres.query({
        name: "leave",
        text: "INSERT INTO likes (user_id, post_id, id) VALUES ($1, $2, 1)",
        values,
      });
      const first = { userId: gone.id, database: "post", where: "likes.user_id", rows: "1" };
      expect(await auditDeletions()).toMatchObject({ code: 1, unfinished: 1, first });
      const text = "DELETE FROM likes WHERE user_id = $1 AND post_id = $2";
      await postgres.query({ name: "take", text, values });
    } finally {
      await postgres.close();
    }
    expect((await auditDeletions()).code).toBe(0);
  });
});
