// The rules that every text of the API shares. Lengths are Unicode code points.

/** What a check found: the value in its normal form, or what is wrong with it. */
export type Checked<T> = { readonly value: T } | { readonly problem: string };

const controls = /\p{Cc}/u;
// Line and paragraph separators, and the marks that reorder the text around them: a name that carries
// them can make the page beside it read as something else.
const layoutControls = /[\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;
const invisible = /[\p{White_Space}\p{Default_Ignorable_Code_Point}]/gu;

/** How many UTF-16 units one code point of an NFC text can have come from, at most. */
const maxUnitsPerCodePoint = 8;

export function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

export function hasControls(text: string): boolean {
  return controls.test(text);
}

/** Whether a reader would see anything at all. */
export function isVisible(text: string): boolean {
  return text.replaceAll(invisible, "") !== "";
}

/**
 * NFC, then a length of min to max code points, then no control characters.
 *
 * @param options.trim - Whether white space at both ends is dropped first. Default false.
 */
export function checkText(
  text: string,
  options: { min: number; max: number; trim?: boolean },
): Checked<string> {
  const length = `must be ${options.min} to ${options.max} characters`;
  // Before NFC, which costs time in proportion to what a stranger sent.
  if (text.length > options.max * maxUnitsPerCodePoint) return { problem: length };
  const normal = options.trim ? text.normalize("NFC").trim() : text.normalize("NFC");
  const count = codePoints(normal);
  if (count < options.min || count > options.max) return { problem: length };
  if (hasControls(normal)) return { problem: "must not contain control characters" };
  return { value: normal };
}

/** As checkText, and nothing that reorders or breaks the line it is shown in. */
export function checkLine(
  text: string,
  options: { min: number; max: number; trim?: boolean },
): Checked<string> {
  const checked = checkText(text, options);
  if ("value" in checked && layoutControls.test(checked.value)) {
    return { problem: "must not contain line breaks or marks that change the direction of text" };
  }
  return checked;
}
