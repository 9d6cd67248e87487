import type { Cancellation } from "@chirrup/grpc";
import type { Context } from "../context.ts";
import {
  badHttp,
  badRequest,
  methodNotAllowed,
  originNotProven,
  routeNotFound,
  tooManyRequests,
  unavailable,
} from "../errors/failure.ts";
import type { TokenIdentity } from "../identity/access-token.ts";
import { readCredential } from "../identity/credential.ts";
import { fillFromCookies } from "../identity/field-cookies.ts";
import { provesOrigin, isBrowser } from "../identity/origin.ts";
import { combine, type Verdict } from "../limits/limiter.ts";
import { rateHeaders, retryAfterSeconds } from "../limits/rate-headers.ts";
import type { RouteTable } from "../routing/route-table.ts";
import { readBody } from "./body.ts";
import type { ClientRequest } from "./client-request.ts";
import { forward } from "./forward.ts";
import type { Reply } from "./reply.ts";
import { corsHeaders, preflightHeaders } from "./cors.ts";
import { idempotencyKeyOf, type ReadHead } from "./request-head.ts";
import { timeoutOf } from "./timeout.ts";
import { parseTarget } from "./target.ts";

/** One request on its way; what is learnt about it is kept for its answer and its line in the log. */
export interface Exchange extends ReadHead {
  readonly method: string;
  readonly requestId: string;
  readonly traceparent: string;
  readonly address: string;
  /** Aborts when the client leaves. */
  readonly signal: Cancellation;
  /** The route's name. */
  route: string | undefined;
  identity: TokenIdentity | undefined;
  /** Headers of the answer, whatever it will be. */
  readonly headers: Record<string, string>;
}

/** The longest request target, in characters. */
export const maxUrlLength = 8_192;

type Found = ReturnType<RouteTable["find"]>;

/**
 * Answers one request. In this order, cheapest refusal first: route, rate of the address, origin, identity, rate of the
 * user, body, rpc. Throws a Failure for anything but success.
 */
export async function answer(context: Context, request: ClientRequest, exchange: Exchange): Promise<Reply> {
  const { method, head, repeated } = exchange;
  const url = request.url ?? "/";
  if (url.length > maxUrlLength) {
    throw badHttp(414, "URI_TOO_LONG", `the URL must not be longer than ${maxUrlLength} characters`);
  }
  if (repeated !== undefined) throw badRequest([{ field: repeated, description: "must be given once" }]);

  if (context.cors !== undefined)
    Object.assign(exchange.headers, corsHeaders(head, context.origins.origins, context.cors));
  const { path, query } = parseTarget(url);
  const found = context.routes.find(method, path);
  const route = found.kind === "route" ? found.route : undefined;
  exchange.route = route?.name;

  const credential = readCredential(head, context.cookies.get("access")?.name);
  const known = route === undefined ? undefined : context.identities.known(credential);
  const rules = route === undefined ? context.rules.withoutRoute : context.rules.of(route);
  const subject = {
    address: exchange.address,
    route: route?.name ?? "",
    // HEAD is a GET whose body is not wanted; it must not have tokens of its own.
    method: method === "HEAD" ? "GET" : method,
    rawHeaders: request.rawHeaders,
  };
  const cost = route?.needs.cost ?? 1;
  const early = await context.limiter.take(
    known === undefined ? rules.early : rules.all,
    { ...subject, userId: known?.userId },
    cost,
  );
  obey(context, early, exchange);
  if (found.kind !== "route" || route === undefined) return unrouted(context, found, exchange, path);

  const { needs } = route;
  const isSafe = method === "GET" || method === "HEAD";
  const isByCookie = credential.kind !== "none" && credential.byCookie;
  const mustProve = (needs.provesOrigin && isBrowser(head)) || (!isSafe && isByCookie);
  if (mustProve && !provesOrigin(head, method, context.origins)) throw originNotProven();

  exchange.identity = known ?? (await context.identities.find(credential, needs, exchange));
  if (known === undefined && rules.late.length > 0) {
    const late = await context.limiter.take(
      rules.late,
      { ...subject, userId: exchange.identity?.userId },
      cost,
    );
    obey(context, combine([early, late]), exchange);
  }

  const idempotencyKey = idempotencyKeyOf(head);
  const timeoutMs = timeoutOf(head);
  const body = await readBody(request, head, {
    maxBytes: context.maxBodyBytes,
    takesAnyType: route.takesAnyType,
  });
  const contentType = head.contentType ?? "";
  let message = route.readRequest({ path: found.path, query, body, contentType });
  if (needs.readsCookies.length > 0) {
    const filled = fillFromCookies(route.rpc.input, message, needs, head.cookie, context.cookies);
    if (filled !== undefined && !isSafe && !provesOrigin(head, method, context.origins)) {
      throw originNotProven();
    }
    message = filled ?? message;
  }
  return forward(context, route, message, exchange, { idempotencyKey, timeoutMs });
}

function obey({ telemetry }: Context, verdict: Verdict, exchange: Exchange): void {
  if (verdict.kind === "unknown") throw unavailable(verdict.cause);
  if (verdict.tightest !== undefined) Object.assign(exchange.headers, rateHeaders(verdict.tightest));
  if (verdict.kind === "passed") return;
  telemetry.rateLimited(verdict.tightest.rule.name);
  throw tooManyRequests(retryAfterSeconds(verdict.tightest));
}

function unrouted(context: Context, found: Found, exchange: Exchange, path: string): Reply {
  const { method, head } = exchange;
  if (found.kind === "malformed") {
    throw badRequest([{ field: "path", description: "must be percent-encoded UTF-8" }]);
  }
  if (found.kind !== "other-methods") return pageOf(context, exchange, path);
  const allow = [...found.methods, "OPTIONS"].join(", ");
  if (method !== "OPTIONS") throw methodNotAllowed(allow);
  const isPreflight =
    context.cors !== undefined &&
    head.corsMethod !== undefined &&
    head.origin !== undefined &&
    context.origins.origins.includes(head.origin);
  const headers = {
    allow,
    ...(isPreflight && context.cors ? preflightHeaders(found.methods.join(", "), context.cors) : {}),
  };
  return { status: 204, headers, setCookies: [], body: undefined };
}

/** What is served beside the routes. */
function pageOf({ pages }: Context, { method }: Exchange, path: string): Reply {
  const page = pages.get(path);
  if (page === undefined) throw routeNotFound();
  if (method !== "GET" && method !== "HEAD") throw methodNotAllowed("GET, HEAD");
  return page;
}
