import { badHttp, clientGone, Failure } from "../errors/failure.ts";
import type { ClientRequest } from "./client-request.ts";
import type { RequestHead } from "./request-head.ts";

const none: Buffer = Buffer.alloc(0);

export function hasBody({ contentLength, transferEncoding }: RequestHead): boolean {
  return transferEncoding !== undefined || (contentLength !== undefined && contentLength !== "0");
}

/**
 * Reads a body whole; empty when there is none. Throws 413 beyond `maxBytes`, before reading when its length is
 * declared, 415 for a body that is not plain JSON in UTF-8 unless the route takes any, and 499 when the client leaves.
 */
export async function readBody(
  request: ClientRequest,
  head: RequestHead,
  { maxBytes, takesAnyType }: { readonly maxBytes: number; readonly takesAnyType: boolean },
): Promise<Buffer> {
  if (!hasBody(head)) return none;
  if (Number(head.contentLength ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const body = await collect(request, maxBytes);
  if (body === undefined) throw tooLarge(maxBytes);
  if (body.length > 0 && !takesAnyType) checkType(head);
  return body;
}

/** The whole body; undefined beyond `maxBytes`. What is left of it then flows away, so that the answer can be read. */
function collect(request: ClientRequest, maxBytes: number): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    let isWhole = false;
    request.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length <= maxBytes) {
        chunks.push(chunk);
      } else {
        chunks.length = 0;
        resolve(undefined);
      }
    });
    request.on("end", () => {
      isWhole = true;
      resolve(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks));
    });
    request.on("error", (error) => reject(error instanceof Failure ? error : clientGone(error)));
    // Also when the client left before anyone listened: then there is no event to come.
    request.on("close", () => {
      if (!isWhole) reject(clientGone());
    });
    if (request.destroyed) reject(clientGone());
  });
}

const jsonPattern = /^application\/json\s*(?:;\s*charset\s*=\s*"?utf-8"?\s*)?$/i;

function checkType({ contentType, contentEncoding }: RequestHead): void {
  if (contentEncoding !== undefined && contentEncoding.toLowerCase() !== "identity") {
    throw badHttp(415, "CONTENT_ENCODING_UNSUPPORTED", "the body must not be compressed");
  }
  // A body without a type is refused as well: a page of another origin can send one without asking first.
  if (contentType === undefined || !jsonPattern.test(contentType)) {
    throw badHttp(415, "CONTENT_TYPE_UNSUPPORTED", "the body must be application/json");
  }
}

function tooLarge(maxBytes: number): Error {
  return badHttp(413, "BODY_TOO_LARGE", `the body must not be larger than ${maxBytes} bytes`);
}
