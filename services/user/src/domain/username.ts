import type { Checked } from "./text.ts";

const pattern = /^[A-Za-z0-9_]{3,30}$/;

/** Names that would speak for the platform, or that its own addresses use. */
const reserved = [
  "abuse",
  "account",
  "accounts",
  "admin",
  "administrator",
  "admins",
  "anonymous",
  "api",
  "auth",
  "billing",
  "chirrup",
  "contact",
  "everyone",
  "feed",
  "help",
  "helpdesk",
  "hostmaster",
  "info",
  "legal",
  "login",
  "logout",
  "mail",
  "mailer",
  "mailer_daemon",
  "me",
  "moderation",
  "moderator",
  "mod",
  "mods",
  "nobody",
  "noreply",
  "no_reply",
  "null",
  "official",
  "owner",
  "password",
  "postmaster",
  "privacy",
  "register",
  "root",
  "security",
  "service",
  "settings",
  "signin",
  "signup",
  "staff",
  "support",
  "sysadmin",
  "sysop",
  "system",
  "team",
  "terms",
  "undefined",
  "verified",
  "webmaster",
];

const lookAlikes: Readonly<Record<string, string>> = {
  "0": "o",
  "1": "i",
  "3": "e",
  "4": "a",
  "5": "s",
  "7": "t",
  "8": "b",
  l: "i",
};

const reservedFolds = new Set(reserved.map(boldFold));

/** Kept as sent; compared by `usernameKey`. */
export function checkUsername(text: string): Checked<string> {
  return pattern.test(text) ? { value: text } : { problem: "must be 3 to 30 of a-z, A-Z, 0-9 and _" };
}

/** A username to be taken: also none that is reserved, however it is spelled: "Adm1n_" is "admin". */
export function checkNewUsername(text: string): Checked<string> {
  const checked = checkUsername(text);
  return "value" in checked && reservedFolds.has(boldFold(checked.value))
    ? { problem: "is reserved" }
    : checked;
}

/** Two usernames with one key are the same username. */
export function usernameKey(username: string): string {
  return username.toLowerCase();
}

/**
 * Two usernames with one skeleton look alike, as far as ASCII goes: capital i and 1 as l, 0 as o, rn as m. Only
 * one of them can be taken. Source: Unicode Technical Standard 39, 4 "Confusable Detection", and its table of
 * confusables for these characters.
 */
export function usernameSkeleton(username: string): string {
  return username.replaceAll(/[I1]/g, "l").replaceAll("0", "o").toLowerCase().replaceAll("m", "rn");
}

/** Coarser than the skeleton: good enough to keep a short list of names away, too bold to compare people by. */
function boldFold(name: string): string {
  return name
    .toLowerCase()
    .replaceAll("_", "")
    .replaceAll(/[0134578l]/g, (sign) => lookAlikes[sign] ?? sign);
}
