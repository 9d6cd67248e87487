const keyPattern = /^[0-9a-z_.-]+$/;
/** The printable ASCII that the protocol allows in a value that is not binary. */
const textPattern = /^[\x20-\x7e]*$/;

/**
 * Metadata of a call, after "Custom-Metadata" of gRPC over HTTP/2: keys are lower-case ASCII (upper case is folded),
 * a key may have several values, in order. Values are printable ASCII, but for keys that end in "-bin": these hold
 * bytes and are read and written by the methods with "Binary" in their name.
 */
export class Metadata {
  readonly #text = new Map<string, string[]>();
  readonly #binary = new Map<string, Uint8Array[]>();

  static from(init: Readonly<Record<string, string>> = {}): Metadata {
    const metadata = new Metadata();
    for (const [key, value] of Object.entries(init)) metadata.set(key, value);
    return metadata;
  }

  /** The first value, or undefined when there is none. */
  get(key: string): string | undefined {
    return this.#text.get(textKey(key))?.[0];
  }

  getAll(key: string): string[] {
    return [...(this.#text.get(textKey(key)) ?? [])];
  }

  /** Replaces every value of the key. Throws TypeError for a key or value that cannot be sent. */
  set(key: string, value: string): void {
    this.#text.set(textKey(key), [textValue(key, value)]);
  }

  /** Adds a value behind those there are. Throws TypeError for a key or value that cannot be sent. */
  append(key: string, value: string): void {
    appendTo(this.#text, textKey(key), textValue(key, value));
  }

  /** Removes every value of the key, which may be a binary one. */
  delete(key: string): void {
    this.#text.delete(key.toLowerCase());
    this.#binary.delete(key.toLowerCase());
  }

  /** Every pair of the keys that are not binary; a key with several values comes several times. */
  *entries(): IterableIterator<[string, string]> {
    for (const [key, values] of this.#text) for (const value of values) yield [key, value];
  }

  getBinary(key: string): Uint8Array | undefined {
    return this.#binary.get(binaryKey(key))?.[0];
  }

  getAllBinary(key: string): Uint8Array[] {
    return [...(this.#binary.get(binaryKey(key)) ?? [])];
  }

  setBinary(key: string, value: Uint8Array): void {
    this.#binary.set(binaryKey(key), [value]);
  }

  appendBinary(key: string, value: Uint8Array): void {
    appendTo(this.#binary, binaryKey(key), value);
  }

  /** Every pair of the keys that end in "-bin". */
  *binaryEntries(): IterableIterator<[string, Uint8Array]> {
    for (const [key, values] of this.#binary) for (const value of values) yield [key, value];
  }
}

function appendTo<V>(map: Map<string, V[]>, key: string, value: V): void {
  const values = map.get(key);
  if (values === undefined) map.set(key, [value]);
  else values.push(value);
}

function normal(key: string): string {
  const lower = key.toLowerCase();
  if (!keyPattern.test(lower)) throw new TypeError(`not a metadata key: ${JSON.stringify(key)}`);
  return lower;
}

function textKey(key: string): string {
  const lower = normal(key);
  if (lower.endsWith("-bin")) throw new TypeError(`${lower} holds bytes: use the binary methods`);
  return lower;
}

function binaryKey(key: string): string {
  const lower = normal(key);
  if (!lower.endsWith("-bin"))
    throw new TypeError(`${lower} holds text: only keys that end in "-bin" hold bytes`);
  return lower;
}

function textValue(key: string, value: string): string {
  // The value itself stays out of the message: it may be a secret.
  if (!textPattern.test(value))
    throw new TypeError(`the value of metadata key ${key} is not printable ASCII`);
  return value;
}
