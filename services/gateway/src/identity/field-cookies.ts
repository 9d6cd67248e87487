import { fromBinary, toBinary, type DescMessage } from "@bufbuild/protobuf";
import { badRequest } from "../errors/failure.ts";
import type { Needs } from "../routing/needs.ts";
import { getField, setField, type Fields } from "../transcoding/field-path.ts";
import { clearCookie, readCookie, setCookie, type CookieSettings } from "./cookies.ts";

type Cookies = ReadonlyMap<string, CookieSettings>;

/**
 * Fills the fields of a request that are empty and have a cookie. Gives the request anew when it filled any: then the
 * cookie carries it. A cookie that is unusable is INVALID_ARGUMENT for its field.
 */
export function fillFromCookies(
  desc: DescMessage,
  request: Buffer,
  { readsCookies }: Needs,
  header: string | undefined,
  cookies: Cookies,
): Buffer | undefined {
  const message = fromBinary(desc, request);
  const fields = message as unknown as Fields;
  let filled = false;
  for (const { cookie, field } of readsCookies) {
    const settings = cookies.get(cookie);
    if (settings === undefined || getField(fields, field) !== "") continue;
    const read = readCookie(header, settings.name);
    if (read.kind === "unusable") {
      throw badRequest([{ field: field.jsonName, description: "must be one well-formed cookie" }]);
    }
    if (read.kind !== "value") continue;
    setField(fields, field, read.value);
    filled = true;
  }
  return filled ? Buffer.from(toBinary(desc, message)) : undefined;
}

/** The Set-Cookie values of a successful response that clear cookies. */
export function clearedCookies({ clearsCookies }: Needs, cookies: Cookies): string[] {
  return clearsCookies.flatMap((name) => {
    const settings = cookies.get(name);
    return settings === undefined ? [] : [clearCookie(settings)];
  });
}

/**
 * The Set-Cookie values for the response's fields that become cookies, and the response. These fields are blank in it when
 * `blanks` is set.
 */
export function takeCookies(
  desc: DescMessage,
  response: Uint8Array,
  { setsCookies }: Needs,
  cookies: Cookies,
  blanks: boolean,
): { readonly setCookies: readonly string[]; readonly response: Uint8Array } {
  const message = fromBinary(desc, response);
  const fields = message as unknown as Fields;
  const lines: string[] = [];
  for (const { cookie, field } of setsCookies) {
    const settings = cookies.get(cookie);
    const value = getField(fields, field);
    if (settings !== undefined && typeof value === "string" && value !== "")
      lines.push(setCookie(settings, value));
    if (blanks) setField(fields, field, "");
  }
  return { setCookies: lines, response: blanks ? toBinary(desc, message) : response };
}
