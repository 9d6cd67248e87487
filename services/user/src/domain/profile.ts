import type { Checked } from "./text.ts";
import { checkLine, isVisible } from "./text.ts";

/** 1 to 50 code points after NFC and trim, something of them visible. */
export function checkDisplayName(text: string): Checked<string> {
  const checked = checkLine(text, { min: 1, max: 50, trim: true });
  return "value" in checked && !isVisible(checked.value) ? { problem: "must be visible" } : checked;
}

/** 0 to 160 code points after NFC, otherwise as sent. */
export function checkBio(text: string): Checked<string> {
  return checkLine(text, { min: 0, max: 160 });
}
