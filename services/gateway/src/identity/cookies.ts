/** One configured cookie. */
export interface CookieSettings {
  /** On the wire: "__Host-chirrup_access". */
  readonly name: string;
  readonly path: string;
  readonly secure: boolean;
  readonly sameSite: "Strict" | "Lax";
  readonly maxAgeSeconds: number;
}

/** The longest value that is taken from a cookie; browsers store 4,096 bytes of name and value. */
const maxValueLength = 4096;

/** What a request's Cookie header says about one cookie. */
export type CookieValue =
  | { readonly kind: "none" }
  | { readonly kind: "value"; readonly value: string }
  /**
   * It came twice (a page on a sibling domain can add one, and which is ours cannot be told), or it holds what no
   * token is.
   */
  | { readonly kind: "unusable" };

const none: CookieValue = { kind: "none" };
const unusable: CookieValue = { kind: "unusable" };
const tokenPattern = /^[A-Za-z0-9._~+/=-]+$/;

export function readCookie(header: string | undefined, name: string): CookieValue {
  if (header === undefined || !header.includes(name)) return none;
  let found: string | undefined;
  for (const pair of header.split(";")) {
    const equals = pair.indexOf("=");
    if (equals === -1 || pair.slice(0, equals).trim() !== name) continue;
    if (found !== undefined) return unusable;
    found = pair.slice(equals + 1).trim();
  }
  if (found === undefined || found === "") return none;
  const isToken = found.length <= maxValueLength && tokenPattern.test(found);
  return isToken ? { kind: "value", value: found } : unusable;
}

/** A Set-Cookie value (RFC 6265bis). Throws when the value is not made of characters that need no quoting. */
export function setCookie(cookie: CookieSettings, value: string): string {
  if (!tokenPattern.test(value)) throw new Error(`the value for cookie ${cookie.name} cannot be sent`);
  return serialise(cookie, value, cookie.maxAgeSeconds);
}

export function clearCookie(cookie: CookieSettings): string {
  return serialise(cookie, "", 0);
}

function serialise(
  { name, path, secure, sameSite }: CookieSettings,
  value: string,
  maxAgeSeconds: number,
): string {
  return `${name}=${value}; Path=${path}; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=${sameSite}${secure ? "; Secure" : ""}`;
}
