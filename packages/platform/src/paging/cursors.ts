import { createHmac, createSecretKey, timingSafeEqual } from "node:crypto";
import { invalidArgument } from "../errors/index.ts";

/** Opaque, authenticated positions in a list that is ordered by id. */
export interface Cursors {
  /**
   * The cursor of the position `id` (0 to 2^63 − 1) in the list named by `scope`.
   *
   * The scope says which list it is, with whatever the list depends on ("comments:42"), so that a cursor
   * of one list is refused by every other. 32 URL-safe characters.
   */
  encode(scope: string, id: bigint): string;
  /**
   * The position; undefined for the empty cursor, which is the start of the list.
   *
   * Throws INVALID_ARGUMENT on `cursor` for anything that `encode` did not make for this scope.
   */
  decode(scope: string, cursor: string): bigint | undefined;
}

const idBytes = 8;
const macBytes = 16;
/** 24 bytes are 32 characters with no padding and no spare bits, so each cursor has one spelling only. */
const cursorPattern = /^[A-Za-z0-9_-]{32}$/;

/**
 * Cursors under a secret shared by all instances of a service. Changing the secret invalidates every
 * cursor in the hands of clients, who start again at the top.
 *
 * Layout: the id (8 bytes, big-endian), then HMAC-SHA256 over label, scope and id, cut to 16 bytes, the
 * shortest that RFC 2104 section 5 recommends. Not encrypted: the id is no secret, only its use is bound.
 */
export function createCursors(secret: string): Cursors {
  const key = createSecretKey(secret, "utf8");

  // The id has a fixed length and comes last, so no two (scope, id) pairs give the same text.
  const mac = (scope: string, id: Buffer): Buffer =>
    createHmac("sha256", key)
      .update(`chirrup.cursor.v1\0${scope}\0`)
      .update(id)
      .digest()
      .subarray(0, macBytes);

  return {
    encode(scope, id) {
      const bytes = Buffer.alloc(idBytes);
      bytes.writeBigInt64BE(id);
      if (id < 0n) throw new RangeError("a cursor's id is not negative");
      return Buffer.concat([bytes, mac(scope, bytes)]).toString("base64url");
    },
    decode(scope, cursor) {
      if (cursor === "") return undefined;
      if (!cursorPattern.test(cursor)) throw notACursor();
      const bytes = Buffer.from(cursor, "base64url");
      const id = bytes.subarray(0, idBytes);
      if (!timingSafeEqual(bytes.subarray(idBytes), mac(scope, id))) throw notACursor();
      return id.readBigInt64BE();
    },
  };
}

function notACursor(): Error {
  return invalidArgument({ field: "cursor", description: "is not a cursor of this list" });
}
