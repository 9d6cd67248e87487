import type { Checked } from "./text.ts";
import { checkText, codePoints } from "./text.ts";

const maxCodePoints = 128;
const maxAround = 6;
const letter = /\p{L}/u;
const notLettersAtTheEnds = /^[^\p{L}]+|[^\p{L}]+$/gu;

/** What a new password is held against. */
export interface PasswordContext {
  /** Passwords in lower case that are tried first. */
  readonly common: ReadonlySet<string>;
  /** The account's username and e-mail: a password made of one is the first guess of who knows it. */
  readonly names: readonly string[];
}

/**
 * A password to be set: 8 to 128 code points after NFC (RFC 8265 OpaqueString), no control characters, none of
 * the common ones, and not the account's own name or address, be it with a few digits and signs around it. There is
 * no rule about kinds of characters (NIST SP 800-63B 5.1.1.2).
 */
export function checkNewPassword(text: string, { common, names }: PasswordContext): Checked<string> {
  const checked = checkText(text, { min: 8, max: maxCodePoints });
  if ("problem" in checked) return checked;
  const folded = checked.value.toLowerCase();
  if (common.has(folded)) return { problem: "is one of the passwords that are guessed first" };
  const own = ["chirrup", ...names.flatMap((name) => [name, name.split("@", 1)[0] ?? name])];
  return own.some((name) => isMadeOf(folded, name.toLowerCase()))
    ? { problem: "must not be made of the username or the e-mail address" }
    : checked;
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

/** Whether it is the name, its own digits and signs at the ends aside, with a few digits and signs around it. */
function isMadeOf(password: string, name: string): boolean {
  const core = name.replaceAll(notLettersAtTheEnds, "") || name;
  const rest = password.replace(core, "");
  return password.includes(core) && !letter.test(rest) && codePoints(rest) <= maxAround;
}
