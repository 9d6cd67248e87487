import { domainToASCII } from "node:url";
import type { Checked } from "./text.ts";

/** RFC 5321 4.5.3.1: 64 for the local part, 254 for the whole. */
const maxLength = 254;
const maxLocalLength = 64;

// RFC 5322 dot-atom, and the letters that RFC 6531 adds. Quoted local parts are not accepted.
const atom = "[\\p{L}\\p{M}\\p{N}!#$%&'*+/=?^_`{|}~-]+";
const localPattern = new RegExp(`^${atom}(?:\\.${atom})*$`, "u");
const domainPattern =
  /^(?:[\p{L}\p{M}\p{N}](?:[\p{L}\p{M}\p{N}-]{0,61}[\p{L}\p{M}\p{N}])?\.)+[\p{L}\p{M}\p{N}-]{2,63}$/u;
const numericTopLabel = /\.\p{N}+$/u;

/**
 * The normal form of an address: trimmed, NFC, lower-case, the domain in its ASCII form.
 *
 * Why the stored form is the compared form: if mail went to the address as typed while accounts were
 * found by a folded one, a look-alike that folds to a victim's address would receive the victim's mail.
 * The price is the local part's case, which no provider in use tells apart.
 */
export function checkEmail(text: string): Checked<string> {
  const problem = { problem: "must be an e-mail address of at most 254 characters" };
  if (text.length > maxLength * 2) return problem;
  const normal = text.trim().normalize("NFC").toLowerCase().normalize("NFC");
  const at = normal.lastIndexOf("@");
  const local = normal.slice(0, Math.max(at, 0));
  const name = normal.slice(at + 1);
  if (at < 1 || local.length > maxLocalLength || !localPattern.test(local)) return problem;
  // A name whose last label is a number is an address to the URL rules that domainToASCII applies.
  if (!domainPattern.test(name) || numericTopLabel.test(name)) return problem;
  const domain = domainToASCII(name);
  const email = `${local}@${domain}`;
  return domain === "" || email.length > maxLength ? problem : { value: email };
}
