import { invalidArgument } from "@chirrup/platform";
import type { Checked } from "./text.ts";

type Values<T> = { [K in keyof T]: T[K] extends Checked<infer V> ? V : never };

/**
 * The values of all checks, each under its field's JSON name.
 *
 * @throws INVALID_ARGUMENT that names every field with a problem, not only the first.
 */
export function allValid<T extends Record<string, Checked<unknown>>>(fields: T): Values<T> {
  const violations: { field: string; description: string }[] = [];
  const values: Record<string, unknown> = {};
  for (const [field, checked] of Object.entries(fields)) {
    if ("problem" in checked) violations.push({ field, description: checked.problem });
    else values[field] = checked.value;
  }
  if (violations.length > 0) throw invalidArgument(violations);
  return values as Values<T>;
}

/** A text that is looked up or compared, so only its absence is a fault. */
export function checkPresent(text: string): Checked<string> {
  return text === "" ? { problem: "is required" } : { value: text };
}
