import { randomBytes, randomUUID } from "node:crypto";

const requestIdPattern = /^[A-Za-z0-9._~-]{1,64}$/;

/** The client's request id when it is 1 to 64 unreserved characters, else a new one. */
export function requestIdOf(given: string | undefined): string {
  return given !== undefined && requestIdPattern.test(given) ? given : randomUUID();
}

// https://www.w3.org/TR/trace-context/#traceparent-header
const traceparentPattern = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The client's trace context when it is well formed (version 00), else the start of a new one. */
export function traceparentOf(given: string | undefined): string {
  if (given !== undefined && traceparentPattern.test(given)) return given;
  const bytes = randomHex();
  return `00-${bytes.slice(0, 32)}-${bytes.slice(32)}-01`;
}

const traceBytes = 24;
let pool = Buffer.alloc(0);
let used = 0;

/** Of bytes that are drawn for some hundred requests at once, since each draw has a price of its own. */
function randomHex(): string {
  if (used + traceBytes > pool.length) {
    pool = randomBytes(traceBytes * 256);
    used = 0;
  }
  used += traceBytes;
  return pool.toString("hex", used - traceBytes, used);
}
