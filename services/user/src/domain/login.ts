import { checkEmail } from "./email.ts";
import { checkUsername, usernameKey } from "./username.ts";

/** What somebody typed to say who they are. */
export interface Login {
  readonly kind: "username" | "email" | "none";
  /** The same for all that means the same account. */
  readonly normalForm: string;
}

/** A username holds no "@" and an address does, so a login is one or the other, or neither. */
export function readLogin(text: string): Login {
  const username = checkUsername(text);
  if ("value" in username) return { kind: "username", normalForm: usernameKey(username.value) };
  const email = checkEmail(text);
  if ("value" in email) return { kind: "email", normalForm: email.value };
  return { kind: "none", normalForm: text };
}
