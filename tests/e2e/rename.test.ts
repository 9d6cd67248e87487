import { waitFor } from "@chirrup/testkit";
import { describe, expect, it } from "vitest";
import { call, feedOf, newPerson, type Person, postAs } from "./support/api.ts";

/** A feed keeps profiles for 5 s (PROFILE_MAX_AGE_MS); the rest is for a busy machine. */
const boundMs = 20_000;

async function namesIn(reader: Person, written?: string): Promise<string[]> {
  const { items } = await feedOf(reader, "", written);
  return items.map(({ author }) => (author as { displayName?: string }).displayName ?? "");
}

describe("a new display name", () => {
  it("shows at once to its owner who sends the token back, and in everybody's feeds within the bound", async () => {
    const [ann, ...readers] = await Promise.all(["ann", "bob", "cy", "di"].map((name) => newPerson(name)));
    if (ann === undefined) throw new Error("nobody");
    await Promise.all(readers.map(({ token }) => call("PUT", `/api/v1/users/${ann.id}/follow`, { token })));
    await postAs(ann, "before the new name");
    // Every feed has shown the old name, so whatever keeps names has it.
    for (const reader of readers) {
      await waitFor(async () => (await namesIn(reader)).length === 1, { what: "the post in the feed" });
    }
    const displayName = `Ann ${ann.id}`;
    const renamed = await call("PATCH", "/api/v1/me", { token: ann.token, body: { displayName } });
    expect(await namesIn(ann, renamed.headers.get("consistency-token") ?? "")).toEqual([displayName]);
    const seen = await call("GET", `/api/v1/users/${ann.id}`, { token: readers[0]?.token ?? "" });
    expect(seen.json.user.displayName).toBe(displayName);
    for (const reader of readers) {
      await waitFor(async () => (await namesIn(reader))[0] === displayName, {
        what: "the new name in the feed",
        timeoutMs: boundMs,
      });
    }
  });
});
