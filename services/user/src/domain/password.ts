import type { Checked } from "./text.ts";
import { checkText, codePoints } from "./text.ts";

const maxCodePoints = 128;

/** A password to be set: 8 to 128 code points after NFC (RFC 8265 OpaqueString), no control characters. */
export function checkNewPassword(text: string): Checked<string> {
  return checkText(text, { min: 8, max: maxCodePoints });
}

/**
 * A password to be compared, in the form in which it would have been set; undefined when none so long
 * can have been set. It is not checked further: what is no password is just a wrong one.
 */
export function presentedPassword(text: string): string | undefined {
  if (text.length > maxCodePoints * 8) return undefined;
  const normal = text.normalize("NFC");
  return codePoints(normal) > maxCodePoints ? undefined : normal;
}
