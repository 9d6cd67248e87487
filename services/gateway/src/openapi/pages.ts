import { readFileSync } from "node:fs";
import type { Reply } from "../http/reply.ts";

/** What the gateway serves beside the routes, by path. */
export type Pages = ReadonlyMap<string, Reply>;

/** The page loads nothing from elsewhere, and runs nothing but its own script. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const files = [
  ["/docs", "index.html", "text/html; charset=utf-8"],
  ["/docs/page.js", "page.js", "text/javascript; charset=utf-8"],
  ["/docs/page.css", "page.css", "text/css; charset=utf-8"],
] as const;

/** The document at /openapi.json, and the page to read and try it at /docs. */
export function createPages(document: object): Pages {
  const reply = (body: Buffer, contentType: string): Reply => ({
    status: 200,
    headers: { "content-security-policy": policy },
    setCookies: [],
    contentType,
    body,
  });
  return new Map([
    ["/openapi.json", reply(Buffer.from(JSON.stringify(document)), "application/json")],
    ...files.map(([path, name, type]) => {
      const body = readFileSync(new URL(`../../page/${name}`, import.meta.url));
      return [path, reply(body, type)] as const;
    }),
  ]);
}
