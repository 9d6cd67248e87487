import { createHmac, timingSafeEqual } from "node:crypto";
import type { WalPosition } from "../postgres/wal-position.ts";

/** Makes and reads the consistency tokens of one service. */
export interface TokenCodec {
  /** "post.<46 characters>"; good for `ttlMs`. */
  encode(position: WalPosition): string;
  /** The positions of this service's tokens among those of a call. Leaves out what is forged, junk or over. */
  decode(values: readonly string[]): WalPosition[];
}

export interface TokenCodecOptions {
  /** Whose tokens these are: letters, digits and dashes. */
  readonly service: string;
  readonly secret: string;
  readonly ttlMs: number;
  /** Milliseconds since the Unix epoch. Default: the system's clock. */
  readonly now?: () => number;
}

const bodyBytes = 18;
/** 128 bits: a forger has one try a request. */
const macBytes = 16;
const textLength = Math.ceil(((bodyBytes + macBytes) * 4) / 3);
const textPattern = /^[A-Za-z0-9_-]+$/;

/**
 * A token is the service's name, a dot, and in base64url timeline (4 bytes), LSN (8), expiry in milliseconds since the
 * epoch (6), all big-endian, and the first 16 bytes of HMAC-SHA256 over the name and these.
 *
 * Why authenticated: a made-up position far ahead would send all of a client's reads to the primary, after a wait each.
 */
export function createTokenCodec({ service, secret, ttlMs, now = Date.now }: TokenCodecOptions): TokenCodec {
  const prefix = `${service}.`;
  const macOf = (body: Buffer): Buffer =>
    createHmac("sha256", secret)
      .update(`consistency\0${service}\0`)
      .update(body)
      .digest()
      .subarray(0, macBytes);

  function read(value: string): WalPosition | undefined {
    if (!value.startsWith(prefix)) return undefined;
    const text = value.slice(prefix.length);
    if (text.length !== textLength || !textPattern.test(text)) return undefined;
    const bytes = Buffer.from(text, "base64url");
    const body = bytes.subarray(0, bodyBytes);
    if (!timingSafeEqual(macOf(body), bytes.subarray(bodyBytes))) return undefined;
    if (body.readUIntBE(12, 6) <= now()) return undefined;
    return { timeline: body.readUInt32BE(0), lsn: body.readBigUInt64BE(4) };
  }

  return {
    encode({ timeline, lsn }) {
      const body = Buffer.alloc(bodyBytes);
      body.writeUInt32BE(timeline, 0);
      body.writeBigUInt64BE(lsn, 4);
      body.writeUIntBE(now() + ttlMs, 12, 6);
      return prefix + Buffer.concat([body, macOf(body)]).toString("base64url");
    },
    decode: (values) => values.map(read).filter((position) => position !== undefined),
  };
}
