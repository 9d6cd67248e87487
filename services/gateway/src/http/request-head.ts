import { badRequest } from "../errors/failure.ts";

/**
 * The only headers that the gateway reads. All others end here: nothing is copied from a request to an rpc, so
 * a client cannot set metadata.
 */
export interface RequestHead {
  readonly authorization: string | undefined;
  /** Of all Cookie headers together (RFC 9113 section 8.2.3 splits them). */
  readonly cookie: string | undefined;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly secFetchSite: string | undefined;
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
  readonly contentLength: string | undefined;
  readonly transferEncoding: string | undefined;
  /** Of all X-Forwarded-For headers together. */
  readonly forwardedFor: string | undefined;
  readonly idempotencyKey: string | undefined;
  /** Of all Consistency-Token headers together. */
  readonly consistencyToken: string | undefined;
  readonly requestId: string | undefined;
  readonly traceparent: string | undefined;
  readonly userAgent: string | undefined;
  readonly accept: string | undefined;
  readonly acceptEncoding: string | undefined;
  readonly grpcTimeout: string | undefined;
  readonly requestTimeout: string | undefined;
  readonly corsMethod: string | undefined;
}

const properties: ReadonlyMap<string, keyof RequestHead> = new Map([
  ["authorization", "authorization"],
  ["cookie", "cookie"],
  ["host", "host"],
  ["origin", "origin"],
  ["sec-fetch-site", "secFetchSite"],
  ["content-type", "contentType"],
  ["content-encoding", "contentEncoding"],
  ["content-length", "contentLength"],
  ["transfer-encoding", "transferEncoding"],
  ["x-forwarded-for", "forwardedFor"],
  ["idempotency-key", "idempotencyKey"],
  ["consistency-token", "consistencyToken"],
  ["x-request-id", "requestId"],
  ["traceparent", "traceparent"],
  ["user-agent", "userAgent"],
  ["accept", "accept"],
  ["accept-encoding", "acceptEncoding"],
  ["grpc-timeout", "grpcTimeout"],
  ["request-timeout", "requestTimeout"],
  ["access-control-request-method", "corsMethod"],
]);

/** Headers that are lists by their nature, and what joins their parts. */
const joiners: Readonly<Partial<Record<keyof RequestHead, string>>> = {
  cookie: "; ",
  forwardedFor: ", ",
  consistencyToken: ", ",
  accept: ", ",
  acceptEncoding: ", ",
};

/** Those whose second value would be a guess between two answers about who asks, from where, or what. */
const once: ReadonlySet<keyof RequestHead> = new Set([
  "authorization",
  "host",
  "origin",
  "secFetchSite",
  "contentType",
  "contentEncoding",
  "contentLength",
  "transferEncoding",
  "idempotencyKey",
  "grpcTimeout",
  "requestTimeout",
]);

const empty: RequestHead = {
  authorization: undefined,
  cookie: undefined,
  host: undefined,
  origin: undefined,
  secFetchSite: undefined,
  contentType: undefined,
  contentEncoding: undefined,
  contentLength: undefined,
  transferEncoding: undefined,
  forwardedFor: undefined,
  idempotencyKey: undefined,
  consistencyToken: undefined,
  requestId: undefined,
  traceparent: undefined,
  userAgent: undefined,
  accept: undefined,
  acceptEncoding: undefined,
  grpcTimeout: undefined,
  requestTimeout: undefined,
  corsMethod: undefined,
};

export interface ReadHead {
  readonly head: RequestHead;
  /** A header that may come once came twice. */
  readonly repeated: string | undefined;
  /** Grpc-Metadata-* headers, by what stands behind the prefix, in lower case. The gateway file says which may go on. */
  readonly metadata: readonly (readonly [string, string])[];
}

const metadataPrefix = "grpc-metadata-";
const noMetadata: readonly (readonly [string, string])[] = [];

/** Reads names and values as node:http gives them in `rawHeaders`. */
export function readHead(rawHeaders: readonly string[]): ReadHead {
  const head: { -readonly [K in keyof RequestHead]: RequestHead[K] } = { ...empty };
  let repeated: string | undefined;
  let metadata: [string, string][] | undefined;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? "").toLowerCase();
    const property = properties.get(name);
    const value = rawHeaders[i + 1] ?? "";
    if (property === undefined) {
      if (name.startsWith(metadataPrefix)) (metadata ??= []).push([name.slice(metadataPrefix.length), value]);
      continue;
    }
    const before = head[property];
    if (before === undefined) head[property] = value;
    else if (joiners[property] !== undefined) head[property] = `${before}${joiners[property]}${value}`;
    else if (once.has(property)) repeated = name;
  }
  return { head, repeated, metadata: metadata ?? noMetadata };
}

const idempotencyKeyPattern = /^[\x21-\x7e]{1,128}$/;

/** The Idempotency-Key: 1 to 128 visible ASCII characters. Throws INVALID_ARGUMENT for anything else. */
export function idempotencyKeyOf({ idempotencyKey }: RequestHead): string | undefined {
  if (idempotencyKey === undefined || idempotencyKeyPattern.test(idempotencyKey)) return idempotencyKey;
  throw badRequest([{ field: "Idempotency-Key", description: "must be 1 to 128 visible ASCII characters" }]);
}

/** Printable ASCII only, since metadata carries nothing else; cut to 200. */
export function userAgentOf({ userAgent = "" }: RequestHead): string {
  return userAgent.slice(0, 200).replace(/[^\x20-\x7e]/g, "?");
}
