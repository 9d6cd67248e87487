import type { Checked } from "./text.ts";

const pattern = /^[A-Za-z0-9_]{3,30}$/;

/** Kept as sent; compared by `usernameKey`. */
export function checkUsername(text: string): Checked<string> {
  return pattern.test(text) ? { value: text } : { problem: "must be 3 to 30 of a-z, A-Z, 0-9 and _" };
}

/** Two usernames with one key are the same username. */
export function usernameKey(username: string): string {
  return username.toLowerCase();
}
