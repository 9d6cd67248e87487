const headerBytes = 20;
/** A length and a bigint. */
const elementBytes = 12;
const int8Oid = 20;

/**
 * Bigints as a parameter of type int8[], in the binary form of Postgres (its `array_recv`). Undefined when it is not an
 * array, is empty, or holds anything else.
 *
 * *Why*: written as text and read again, a list of ids costs either side more than looking the ids up.
 */
export function bigintArray(values: unknown): Buffer | undefined {
  if (!Array.isArray(values) || values.length === 0) return undefined;
  const bytes = Buffer.allocUnsafe(headerBytes + elementBytes * values.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  view.setInt32(0, 1); // dimensions
  view.setInt32(4, 0); // no nulls
  view.setInt32(8, int8Oid);
  view.setInt32(12, values.length);
  view.setInt32(16, 1); // the first subscript
  let at = headerBytes;
  for (const value of values as unknown[]) {
    if (typeof value !== "bigint") return undefined;
    view.setInt32(at, 8);
    view.setBigInt64(at + 4, value);
    at += elementBytes;
  }
  return bytes;
}
