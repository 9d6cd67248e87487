import { promisify } from "node:util";
import { constants, gzip } from "node:zlib";
import type { Reply } from "./reply.ts";

const gzipped = promisify(gzip);

/** Compresses a body of at least `minBytes` for a client that takes gzip (RFC 9110 section 12.5.3). */
export async function compress(
  reply: Reply,
  acceptEncoding: string | undefined,
  minBytes: number,
): Promise<Reply> {
  const { body, headers } = reply;
  if (body === undefined || Buffer.byteLength(body) < minBytes) return reply;
  const vary = headers["vary"] === undefined ? "Accept-Encoding" : `${headers["vary"]}, Accept-Encoding`;
  if (!takesGzip(acceptEncoding)) return { ...reply, headers: { ...headers, vary } };
  // A level that costs a third of the default's and gives nearly the same for JSON.
  const compressed = await gzipped(body, { level: constants.Z_BEST_SPEED });
  return { ...reply, headers: { ...headers, vary, "content-encoding": "gzip" }, body: compressed };
}

function takesGzip(acceptEncoding = ""): boolean {
  return acceptEncoding
    .toLowerCase()
    .split(",")
    .some((part) => /^\s*(?:gzip|\*)\s*(?:;\s*q=(?!0(?:\.0*)?\s*$).*)?$/.test(part));
}
