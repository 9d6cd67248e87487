import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, inject, it } from "vitest";
import { call, newPerson } from "./support/api.ts";
import { chirrup } from "./support/chirrup.ts";

interface State {
  readonly parts: readonly { readonly name: string; readonly readyUrl?: string }[];
}

async function publishedKids(home: string): Promise<string[]> {
  const { parts } = JSON.parse(readFileSync(join(home, "state.json"), "utf8")) as State;
  const ready = parts.find(({ name }) => name === "user")?.readyUrl;
  const response = await fetch(new URL("/.well-known/jwks.json", ready));
  const { keys } = (await response.json()) as { keys: { kid: string }[] };
  return keys.map(({ kid }) => kid);
}

it("chirrup keys rotate publishes a key beside the one before, whose tokens stay good", async () => {
  const home = inject("platformHome");
  const person = await newPerson("keys");
  const before = await publishedKids(home);
  const rotated = await chirrup(home, "keys", "rotate", "--json");
  expect(rotated.code, rotated.stderr).toBe(0);
  const { kid } = JSON.parse(rotated.stdout) as { kid: string };
  await expect
    .poll(() => publishedKids(home), { timeout: 10_000 })
    .toEqual(expect.arrayContaining([...before, kid]));
  expect((await call("GET", "/api/v1/me", { token: person.token })).status).toBe(200);
});
