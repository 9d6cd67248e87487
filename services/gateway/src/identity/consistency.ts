import type { Metadata } from "@chirrup/grpc";
import { metadataKeys } from "@chirrup/platform";
import type { RequestHead } from "../http/request-head.ts";
import { isBrowser } from "./origin.ts";
import { setCookie, type CookieSettings } from "./cookies.ts";

/** The cookies that keep consistency tokens: each is named by `name`, "_" and the token's own name. */
export type ConsistencySettings = CookieSettings;

/** What a service answers a write with: its name, a dot, and what only it can read. */
const tokenPattern = /^([a-z][a-z0-9-]{0,31})\.[A-Za-z0-9_-]{1,128}$/;
/** Of one request. */
const mostTokens = 16;

/** By the name in them. Those of a request's header come before those of its cookies; what is no token is passed over. */
type Tokens = ReadonlyMap<string, string>;

const none: Tokens = new Map();

/**
 * The tokens that a request carries, one for each name. The gateway keeps none itself: the caller does, in cookies or by
 * sending back a header. Only the service that made a token can tell whether it is one, so here its form is all that counts.
 */
export function presentedTokens(
  { cookie, consistencyToken }: Pick<RequestHead, "cookie" | "consistencyToken">,
  settings: ConsistencySettings | undefined,
): Tokens {
  if (settings === undefined) return none;
  const prefix = `${settings.name}_`;
  const byCookie = cookie?.includes(prefix) === true;
  if (consistencyToken === undefined && !byCookie) return none;
  const found = new Map<string, string>();
  const take = (token: string): void => {
    const name = tokenPattern.exec(token)?.[1];
    if (name !== undefined && !found.has(name) && found.size < mostTokens) found.set(name, token);
  };
  for (const token of consistencyToken?.split(",") ?? []) take(token.trim());
  for (const pair of byCookie ? cookie.split(";") : []) {
    const [name = "", token = ""] = pair.trim().split("=", 2);
    if (name.startsWith(prefix)) take(token);
  }
  return found;
}

/** Adds tokens to what goes to a service. */
export function carryTokens(tokens: Tokens, metadata: Metadata): void {
  for (const token of tokens.values()) metadata.append(metadataKeys.consistency, token);
}

/** How an answer hands its caller the tokens that came with it. */
export interface HandedTokens {
  /** The header: those that the request carried, with the new ones in place of the old of their names. */
  readonly header: string | undefined;
  readonly setCookies: readonly string[];
}

const nothing: HandedTokens = { header: undefined, setCookies: [] };

/** Cookies are for those who keep cookies: browsers, and programs that have sent one. */
export function handTokens(
  answer: Metadata,
  presented: Tokens,
  settings: ConsistencySettings,
  head: RequestHead,
): HandedTokens {
  if (answer.get(metadataKeys.consistency) === undefined) return nothing;
  const fresh = new Map(
    answer.getAll(metadataKeys.consistency).flatMap((token) => {
      const name = tokenPattern.exec(token)?.[1];
      return name === undefined ? [] : [[name, token]];
    }),
  );
  return {
    header: [...new Map([...presented, ...fresh]).values()].join(", "),
    setCookies:
      isBrowser(head) || head.cookie !== undefined
        ? [...fresh].map(([name, token]) =>
            setCookie({ ...settings, name: `${settings.name}_${name}` }, token),
          )
        : [],
  };
}
