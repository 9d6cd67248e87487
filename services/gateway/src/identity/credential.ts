import type { RequestHead } from "../http/request-head.ts";
import { readCookie } from "./cookies.ts";

/** What a request shows to say who sends it. */
export type Credential =
  | { readonly kind: "none" }
  /** Something is there, but it is no bearer token, or which one is meant cannot be told. */
  | { readonly kind: "unusable"; readonly byCookie: boolean }
  | { readonly kind: "token"; readonly token: string; readonly byCookie: boolean };

const bearerPattern = /^bearer +([A-Za-z0-9._~+/-]+=*)$/i;

/** An Authorization header wins, also when it is no good: a request must not fall back to another identity. */
export function readCredential(
  { authorization, cookie }: RequestHead,
  accessCookie: string | undefined,
): Credential {
  if (authorization !== undefined) {
    const token = bearerPattern.exec(authorization)?.[1];
    return token === undefined
      ? { kind: "unusable", byCookie: false }
      : { kind: "token", token, byCookie: false };
  }
  if (accessCookie === undefined) return { kind: "none" };
  const read = readCookie(cookie, accessCookie);
  switch (read.kind) {
    case "none":
      return { kind: "none" };
    case "unusable":
      return { kind: "unusable", byCookie: true };
    case "value":
      return { kind: "token", token: read.value, byCookie: true };
  }
}
