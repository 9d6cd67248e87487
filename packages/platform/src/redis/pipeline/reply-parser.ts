/** An error reply: `message` is what the server sent, with its code as the first word. */
export class RedisError extends Error {
  override readonly name = "RedisError";
}

/** One reply of RESP2. Integers beyond 2^53 are bigints; bulk strings are read as UTF-8. */
export type Reply = number | bigint | string | null | RedisError | readonly Reply[];

/** Reads replies out of a stream of bytes that may be cut anywhere. */
export interface ReplyParser {
  /** Takes the next bytes. They must not change afterwards. Throws when they are not RESP2. */
  push(bytes: Buffer): void;
}

interface OpenArray {
  readonly items: Reply[];
  left: number;
}

const [plus, minus, colon, dollar, star] = [43, 45, 58, 36, 42];
const cr = 13;
const lf = 10;
const zero = 48;
const nine = 57;
/** Digits of which every number is a safe integer. */
const safeDigits = 15;
/** Lines are numbers, states and messages of errors. */
const longestLine = 65_536;
const nothing: Buffer = Buffer.alloc(0);

/**
 * Calls `onReply` with each reply, in their order. What is incomplete is kept and gone on with: no byte is looked at
 * twice but those of one line, so large replies in many pieces cost no more than in one.
 */
export function createReplyParser(onReply: (reply: Reply) => void): ReplyParser {
  let rest = nothing;
  /** Pieces of a bulk string whose end has not come, and the bytes that it needs with its CR LF. */
  let pieces: Buffer[] = [];
  let have = 0;
  let need = 0;
  const open: OpenArray[] = [];

  function emit(reply: Reply): void {
    let value = reply;
    for (;;) {
      const array = open.at(-1);
      if (array === undefined) return onReply(value);
      array.items.push(value);
      array.left -= 1;
      if (array.left > 0) return;
      open.pop();
      value = array.items;
    }
  }

  /** Where the line that begins at `from` ends; -1 when its end has not come. */
  function lineEnd(data: Buffer, from: number): number {
    const at = data.indexOf(cr, from);
    if (at < 0 || at + 1 >= data.length) {
      if (data.length - from > longestLine) throw new Error("not RESP: a line without an end");
      return -1;
    }
    if (data[at + 1] !== lf) throw new Error("not RESP: CR without LF");
    return at;
  }

  function integer(data: Buffer, from: number, end: number): number | bigint {
    const text = data.toString("latin1", from, end);
    if (!/^-?\d{1,19}$/.test(text)) throw new Error("not RESP: a number was expected");
    return text.length <= safeDigits ? Number(text) : narrow(BigInt(text));
  }

  /** A token whose line is a number that is not negative and safe: nearly all are. Reads it in place; 0 for any other. */
  function shortToken(data: Buffer, start: number): number {
    let at = start + 1;
    let value = 0;
    let byte = data[at];
    const last = at + safeDigits;
    while (byte !== undefined && byte >= zero && byte <= nine && at < last) {
      value = value * 10 + byte - zero;
      byte = data[++at];
    }
    if (byte !== cr || at === start + 1 || data[at + 1] !== lf) return 0;
    return numbered(data, start, value, at + 2);
  }

  /** Takes a token whose line ended before `next`, and was a number. */
  function numbered(data: Buffer, start: number, value: number | bigint, next: number): number {
    const kind = data[start];
    if (kind === colon) {
      emit(value);
      return next;
    }
    if (typeof value !== "number" || value < -1) throw new Error("not RESP: a length was expected");
    if (value === -1) emit(null);
    else if (kind === dollar) {
      if (data.length >= next + value + 2) return bulk(data, next, value);
      need = value + 2;
    } else if (value === 0) emit([]);
    else open.push({ items: [], left: value });
    return next;
  }

  /** Reads one token at `start`; gives where the next begins, or -1 when this one is incomplete. */
  function token(data: Buffer, start: number): number {
    const kind = data[start];
    const isNumbered = kind === colon || kind === dollar || kind === star;
    const short = isNumbered ? shortToken(data, start) : 0;
    if (short > 0) return short;
    if (!isNumbered && kind !== plus && kind !== minus) throw new Error("not RESP: an unknown kind of reply");
    const end = lineEnd(data, start + 1);
    if (end < 0) return -1;
    const next = end + 2;
    if (isNumbered) return numbered(data, start, integer(data, start + 1, end), next);
    const line = data.toString("utf8", start + 1, end);
    emit(kind === plus ? line : new RedisError(line));
    return next;
  }

  function bulk(data: Buffer, start: number, size: number): number {
    const end = start + size;
    if (data[end] !== cr || data[end + 1] !== lf) throw new Error("not RESP: a string without its end");
    emit(data.toString("utf8", start, end));
    return end + 2;
  }

  /** Reads all that is whole; what begins a token that is not is kept. */
  function read(data: Buffer): void {
    let at = 0;
    while (at < data.length) {
      const next = token(data, at);
      if (next < 0) break;
      at = next;
      if (need > 0) {
        pieces = [data.subarray(at)];
        have = data.length - at;
        rest = nothing;
        return;
      }
    }
    rest = at < data.length ? data.subarray(at) : nothing;
  }

  return {
    push(bytes) {
      if (need > 0) {
        pieces.push(bytes);
        have += bytes.length;
        if (have < need) return;
        const data = Buffer.concat(pieces);
        const size = need - 2;
        need = 0;
        pieces = [];
        read(data.subarray(bulk(data, 0, size)));
        return;
      }
      read(rest.length === 0 ? bytes : Buffer.concat([rest, bytes]));
    },
  };
}

function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
