import type { Message } from "@bufbuild/protobuf";
import { badRequest } from "../errors/failure.ts";
import type { Needs } from "../routing/needs.ts";
import { getField, setField, type Fields } from "../transcoding/field-path.ts";
import { clearCookie, readCookie, setCookie, type CookieSettings } from "./cookies.ts";

type Cookies = ReadonlyMap<string, CookieSettings>;

/**
 * Fills the fields of a request that are empty and have a cookie. Returns whether it filled any: then the cookie carries
 * the request. A cookie that is unusable is INVALID_ARGUMENT for its field.
 */
export function fillFromCookies(
  message: Message,
  { readsCookies }: Needs,
  header: string | undefined,
  cookies: Cookies,
): boolean {
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
  return filled;
}

/** The Set-Cookie values of a successful response. Fields that become cookies are blanked when `blanks` is set. */
export function cookiesOf(message: Message, needs: Needs, cookies: Cookies, blanks: boolean): string[] {
  const fields = message as unknown as Fields;
  const lines: string[] = [];
  for (const name of needs.clearsCookies) {
    const settings = cookies.get(name);
    if (settings !== undefined) lines.push(clearCookie(settings));
  }
  for (const { cookie, field } of needs.setsCookies) {
    const settings = cookies.get(cookie);
    const value = getField(fields, field);
    if (settings !== undefined && typeof value === "string" && value !== "")
      lines.push(setCookie(settings, value));
    if (blanks) setField(fields, field, "");
  }
  return lines;
}
