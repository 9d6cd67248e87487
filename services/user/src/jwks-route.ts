import type { AdminRoute } from "@chirrup/platform";
import type { KeyRing } from "./key-ring.ts";

/** Public keys change by addition and long before they are used, so a minute's cache does no harm. */
const cacheControl = "public, max-age=60, stale-if-error=86400";

/** `/.well-known/jwks.json`: the keys that access tokens are verified by (RFC 7517). */
export function jwksRoute(keyRing: KeyRing): AdminRoute {
  return async (_request, response) => {
    const body = JSON.stringify({ keys: await keyRing.publicKeys() });
    response
      .writeHead(200, { "content-type": "application/jwk-set+json", "cache-control": cacheControl })
      .end(body);
  };
}
