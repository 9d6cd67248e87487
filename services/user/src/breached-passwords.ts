import { createHash } from "node:crypto";
import type { Logger } from "@chirrup/platform";
import { invalidArgument } from "@chirrup/platform";

/**
 * Refuses a new password that is in a published leak.
 *
 * @param field - JSON name of the field that it came in.
 * @throws INVALID_ARGUMENT naming the field.
 */
export type BreachCheck = (field: string, password: string) => Promise<void>;

/** A sign-up must not wait for somebody else's service. */
const timeoutMs = 1_000;
const prefixLength = 5;

/**
 * Asks a range service, as that of Have I Been Pwned: five digits of the password's SHA-1 leave this process, and the
 * answer is some hundreds of hashes that begin so. While it does not answer, passwords pass: the list of common ones,
 * most of them from leaks, holds all the same.
 *
 * @param options.url - Without the five digits; undefined asks nobody.
 */
export function createBreachCheck(options: { url: string | undefined; log: Logger }): BreachCheck {
  const { url, log } = options;
  if (url === undefined) return () => Promise.resolve();
  const base = `${url.replace(/\/$/, "")}/`;
  return async (field, password) => {
    const hash = createHash("sha1").update(password, "utf8").digest("hex").toUpperCase();
    const suffixes = await suffixesOf(base + hash.slice(0, prefixLength)).catch(
      (error: unknown): string[] => {
        log.warn({ err: error }, "the service of breached passwords does not answer");
        return [];
      },
    );
    if (suffixes.includes(hash.slice(prefixLength))) {
      throw invalidArgument({ field, description: "is known from a leak of passwords" });
    }
  };
}

/** Padding hides, by entries with a count of 0, how many there are. */
async function suffixesOf(url: string): Promise<string[]> {
  const response = await fetch(url, {
    headers: { "add-padding": "true" },
    signal: AbortSignal.timeout(timeoutMs),
    redirect: "error",
  });
  if (!response.ok) throw new Error(`it answered ${response.status}`);
  return (await response.text())
    .split("\n")
    .map((line) => line.trim().split(":"))
    .filter(([, count]) => count !== "0")
    .map(([suffix = ""]) => suffix);
}
