import type { HeaderBlock } from "../hpack/decoder.ts";
import { decodeTimeout } from "../wire/timeout.ts";

/** What the fields of a request mean to its server, apart from metadata. */
export interface RequestHead {
  /** Whether the block is a well-formed request (RFC 9113, section 8.3.1). */
  readonly wellFormed: boolean;
  /** The HTTP status to refuse it with that is no gRPC request; undefined for one that is. */
  readonly refusal: "405" | "415" | undefined;
  readonly path: string;
  /** Undefined without one, NaN for one that cannot be read. */
  readonly timeoutMs: number | undefined;
  /** `grpc-encoding`; undefined for none and for identity. */
  readonly encoding: string | undefined;
  readonly acceptsGzip: boolean;
  /** Undefined without one that can be read. */
  readonly contentLength: number | undefined;
}

/** Fields of a connection, which HTTP/2 has no use for (RFC 9113, section 8.2.2). */
const connectionFields = new Set([
  "connection",
  "proxy-connection",
  "keep-alive",
  "transfer-encoding",
  "upgrade",
]);

/** Reads a block; one that comes again is read once. */
export function requestHead(block: HeaderBlock): RequestHead {
  const known = block.meaning as RequestHead | undefined;
  if (known !== undefined) return known;
  const head = read(block);
  block.meaning = head;
  return head;
}

function read(block: HeaderBlock): RequestHead {
  let wellFormed = block.valid;
  let method: string | undefined;
  let scheme: string | undefined;
  let path: string | undefined;
  let authority: string | undefined;
  let contentType: string | undefined;
  let timeoutMs: number | undefined;
  let encoding: string | undefined;
  let acceptsGzip = false;
  let contentLength: number | undefined;
  let regular = false;
  for (const { name, value } of block.fields) {
    // Section 8.3: pseudo-header fields come first, each once.
    if (name.charCodeAt(0) === 0x3a) {
      if (regular) wellFormed = false;
      if (name === ":method" && method === undefined) method = value;
      else if (name === ":path" && path === undefined) path = value;
      else if (name === ":scheme" && scheme === undefined) scheme = value;
      else if (name === ":authority" && authority === undefined) authority = value;
      else wellFormed = false;
      continue;
    }
    regular = true;
    switch (name) {
      case "content-type":
        contentType = value;
        break;
      case "grpc-timeout":
        timeoutMs = decodeTimeout(value) ?? Number.NaN;
        break;
      case "grpc-encoding":
        encoding = value === "identity" ? undefined : value;
        break;
      case "grpc-accept-encoding":
        acceptsGzip = value.split(",").some((each) => each.trim() === "gzip");
        break;
      case "content-length":
        if (/^\d{1,15}$/.test(value)) contentLength = Number(value);
        break;
      case "te":
        if (value !== "trailers") wellFormed = false;
        break;
      default:
        if (connectionFields.has(name)) wellFormed = false;
    }
  }
  if (method === undefined || scheme === undefined || path === undefined || path === "") wellFormed = false;
  return {
    wellFormed,
    refusal:
      method !== "POST" ? "405" : contentType?.startsWith("application/grpc") === true ? undefined : "415",
    path: path ?? "",
    timeoutMs,
    encoding,
    acceptsGzip,
    contentLength,
  };
}
