/** Hash slots of a Redis Cluster. */
export const slotCount = 16_384;

/** CRC-16/XMODEM, byte by byte: what a cluster distributes keys by. */
const table = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit += 1) crc = ((crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xffff;
  return crc;
});

/** The slot of a hash tag of ASCII characters: what stands between the braces of a key. */
export function slotOfTag(tag: string): number {
  let crc = 0;
  for (let at = 0; at < tag.length; at += 1) {
    crc = ((crc << 8) & 0xffff) ^ (table[(crc >> 8) ^ tag.charCodeAt(at)] ?? 0);
  }
  return crc % slotCount;
}

/** The slot of a key: by its first `{tag}`, if it has one that is not empty. */
export function slotOf(key: string): number {
  const open = key.indexOf("{");
  const close = open < 0 ? -1 : key.indexOf("}", open + 1);
  const tag = close > open + 1 ? key.slice(open + 1, close) : key;
  return slotOfTag(Buffer.byteLength(tag) === tag.length ? tag : Buffer.from(tag).toString("latin1"));
}
