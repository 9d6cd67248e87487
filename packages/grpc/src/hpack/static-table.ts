/** One header field. Its size is its octets and 32 (RFC 7541, section 4.1). */
export interface Field {
  readonly name: string;
  readonly value: string;
  readonly size: number;
  /** Whether name and value are what RFC 9113, section 8.2.1, allows. */
  readonly valid: boolean;
}

const pairs: readonly (readonly [name: string, value: string])[] = [
  [":authority", ""],
  [":method", "GET"],
  [":method", "POST"],
  [":path", "/"],
  [":path", "/index.html"],
  [":scheme", "http"],
  [":scheme", "https"],
  [":status", "200"],
  [":status", "204"],
  [":status", "206"],
  [":status", "304"],
  [":status", "400"],
  [":status", "404"],
  [":status", "500"],
  ["accept-charset", ""],
  ["accept-encoding", "gzip, deflate"],
  ["accept-language", ""],
  ["accept-ranges", ""],
  ["accept", ""],
  ["access-control-allow-origin", ""],
  ["age", ""],
  ["allow", ""],
  ["authorization", ""],
  ["cache-control", ""],
  ["content-disposition", ""],
  ["content-encoding", ""],
  ["content-language", ""],
  ["content-length", ""],
  ["content-location", ""],
  ["content-range", ""],
  ["content-type", ""],
  ["cookie", ""],
  ["date", ""],
  ["etag", ""],
  ["expect", ""],
  ["expires", ""],
  ["from", ""],
  ["host", ""],
  ["if-match", ""],
  ["if-modified-since", ""],
  ["if-none-match", ""],
  ["if-range", ""],
  ["if-unmodified-since", ""],
  ["last-modified", ""],
  ["link", ""],
  ["location", ""],
  ["max-forwards", ""],
  ["proxy-authenticate", ""],
  ["proxy-authorization", ""],
  ["range", ""],
  ["referer", ""],
  ["refresh", ""],
  ["retry-after", ""],
  ["server", ""],
  ["set-cookie", ""],
  ["strict-transport-security", ""],
  ["transfer-encoding", ""],
  ["user-agent", ""],
  ["vary", ""],
  ["via", ""],
  ["www-authenticate", ""],
];

/** The static table (RFC 7541, appendix A): index 1 is the first. */
export const staticTable: readonly Field[] = pairs.map(([name, value]) => ({
  name,
  value,
  size: name.length + value.length + 32,
  valid: true,
}));

/** The index of the first entry behind the static table (RFC 7541, section 2.3.3). */
export const firstDynamicIndex: number = staticTable.length + 1;

const byName = new Map<string, number>();
const byPair = new Map<string, number>();
for (const [at, [name, value]] of pairs.entries()) {
  if (!byName.has(name)) byName.set(name, at + 1);
  byPair.set(`${name}\0${value}`, at + 1);
}

/** The first static index with this name; 0 when there is none. */
export function staticNameIndex(name: string): number {
  return byName.get(name) ?? 0;
}

/** The static index of this very field; 0 when there is none. */
export function staticFieldIndex(name: string, value: string): number {
  return byPair.get(`${name}\0${value}`) ?? 0;
}
