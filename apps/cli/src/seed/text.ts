import { pick, type Random } from "./random.ts";

const words = (
  "morning coffee river garden window music paper train winter summer letter story mountain bread light " +
  "quiet long green small bright slow early late new old first last good again almost never always maybe " +
  "reading walking cooking writing learning building fixing finding watching waiting thinking about with " +
  "without after before under over between because while the a my our this that one two three"
).split(" ");

/** A line that reads a little like a post: 4 to 24 words and a full stop. */
export function composeText(random: Random): string {
  const count = 4 + Math.floor(random() * 21);
  const text = Array.from({ length: count }, () => pick(random, words)).join(" ");
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
