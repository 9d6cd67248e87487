import type { RequestHead } from "../http/request-head.ts";

export interface OriginSettings {
  /** Origins whose pages may change state: "https://chirrup.example". */
  readonly origins: readonly string[];
  /** Whether the host that the request names is an own origin as well. Safe where no proxy sets it. */
  readonly trustHostHeader: boolean;
}

/** A browser tells at least one of these; other clients have no reason to. */
export function isBrowser({ origin, secFetchSite }: RequestHead): boolean {
  return origin !== undefined || secFetchSite !== undefined;
}

/**
 * Whether a browser vouches that the request comes from a page of an allowed origin, and not from somebody else's.
 *
 * Source: the OWASP cheat sheet on cross-site request forgery, "Fetch Metadata headers" and "Verifying origin with
 * standard headers". Sec-Fetch-Site and Origin cannot be set by a page; a request with neither proves nothing.
 */
export function provesOrigin(
  { host, origin, secFetchSite }: RequestHead,
  method: string,
  { origins, trustHostHeader }: OriginSettings,
): boolean {
  const isListed = origin !== undefined && origins.includes(origin);
  if (origin !== undefined && !isListed && !(trustHostHeader && isOriginOf(origin, host))) return false;
  switch (secFetchSite) {
    case undefined:
      return origin !== undefined;
    case "same-origin":
      return true;
    case "none":
      // Typed by the user or from a bookmark: no page had a hand in it. A state change is never that.
      return method === "GET" || method === "HEAD";
    default:
      return isListed;
  }
}

function isOriginOf(origin: string, host: string | undefined): boolean {
  return host !== undefined && (origin === `http://${host}` || origin === `https://${host}`);
}
