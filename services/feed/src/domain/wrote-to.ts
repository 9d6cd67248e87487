import type { PageCall } from "./page-call.ts";

/**
 * Whether the caller carries a consistency token of a service, and so has written there a moment ago. Not verified: a
 * made-up one makes the page dearer, and not wrong.
 */
export function wroteTo(
  { consistency }: Pick<PageCall, "consistency">,
  service: "follow" | "post" | "user",
): boolean {
  return consistency.some((token) => token.startsWith(`${service}.`));
}
