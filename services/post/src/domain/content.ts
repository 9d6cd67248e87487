import { invalidArgument } from "@chirrup/platform";

/** The most code points that a post or a comment may have, counted after normalisation. */
export const maxCodePoints = 5_000;

const notWhiteSpace = /[^\s\p{White_Space}]/u;

/**
 * The text as it is kept: in Unicode normal form C, else as sent. 1 to 5,000 code points, not only white
 * space, no NUL (Postgres cannot hold one), no half of a surrogate pair; INVALID_ARGUMENT with field
 * `content` and the reason otherwise.
 */
export function normalContent(sent: string): string {
  if (!sent.isWellFormed()) throw invalid("must not hold half of a surrogate pair");
  if (sent.includes("\0")) throw invalid("must not hold the character NUL (U+0000)");
  if (!notWhiteSpace.test(sent)) throw invalid("must not be empty or only white space");
  if (isFarTooLong(sent)) throw tooLong();
  const content = sent.normalize("NFC");
  if (exceeds(content, maxCodePoints)) throw tooLong();
  return content;
}

/**
 * Whether the normal form is sure to be too long. It refuses nothing that would have passed.
 *
 * Why: putting a run of combining marks in order takes time quadratic in its length: 200,000 marks, a
 * body of 400 kB, hold the event loop for ten seconds. Canonical decomposition makes at most four code
 * points of one (UAX #15, "Maximum Expansion Factors"), so composition makes one of at most four: the text
 * keeps a quarter of its length, and of a run of marks at most three go into the letter before it.
 */
function isFarTooLong(text: string): boolean {
  if (exceeds(text, 4 * maxCodePoints)) return true;
  for (const [marks] of text.matchAll(/\p{M}+/gu)) if (exceeds(marks, maxCodePoints + 3)) return true;
  return false;
}

/** Whether a text has more code points than a limit; reads no further than it must. */
function exceeds(text: string, limit: number): boolean {
  if (text.length <= limit) return false;
  if (text.length > 2 * limit) return true;
  let count = 0;
  for (let i = 0; i < text.length; count++) i += (text.codePointAt(i) ?? 0) > 0xffff ? 2 : 1;
  return count > limit;
}

function tooLong(): Error {
  return invalid(`must have at most ${maxCodePoints} code points in Unicode normal form C`);
}

function invalid(description: string): Error {
  return invalidArgument({ field: "content", description });
}
