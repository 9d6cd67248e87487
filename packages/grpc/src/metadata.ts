const keyPattern = /^[0-9a-z_.-]+$/;
/** The printable ASCII that the protocol allows in a value that is not binary. */
const textPattern = /^[\x20-\x7e]*$/;

/** Keys that were found to be good, by what they were written as: the same few come again. */
const knownKeys = new Map<string, string>();
const maxKnownKeys = 256;

type Value = string | Uint8Array;

/**
 * Metadata of a call, after "Custom-Metadata" of gRPC over HTTP/2: keys are lower-case ASCII (upper case is folded),
 * a key may have several values, in order. Values are printable ASCII, but for keys that end in "-bin": these hold
 * bytes and are read and written by the methods with "Binary" in their name. Blanks around a text are not sent.
 */
export class Metadata {
  // Pairs in a list: with the few that a call has, a search is quicker than a map is made.
  readonly #keys: string[] = [];
  readonly #values: Value[] = [];

  static from(init: Readonly<Record<string, string>> = {}): Metadata {
    const metadata = new Metadata();
    for (const [key, value] of Object.entries(init)) metadata.set(key, value);
    return metadata;
  }

  /** The first value, or undefined when there is none. */
  get(key: string): string | undefined {
    return this.#first(textKey(key)) as string | undefined;
  }

  getAll(key: string): string[] {
    return this.#all(textKey(key)) as string[];
  }

  /** Replaces every value of the key. Throws TypeError for a key or value that cannot be sent. */
  set(key: string, value: string): void {
    this.#replace(textKey(key), textValue(key, value));
  }

  /** Adds a value behind those there are. Throws TypeError for a key or value that cannot be sent. */
  append(key: string, value: string): void {
    this.#add(textKey(key), textValue(key, value));
  }

  /** Removes every value of the key, which may be a binary one. */
  delete(key: string): void {
    const lower = key.toLowerCase();
    for (let at = this.#keys.indexOf(lower); at >= 0; at = this.#keys.indexOf(lower, at)) {
      this.#keys.splice(at, 1);
      this.#values.splice(at, 1);
    }
  }

  /** Every pair of the keys that are not binary; a key with several values comes several times. */
  *entries(): IterableIterator<[string, string]> {
    for (const [at, key] of this.#keys.entries()) {
      const value = this.#values[at];
      if (typeof value === "string") yield [key, value];
    }
  }

  getBinary(key: string): Uint8Array | undefined {
    return this.#first(binaryKey(key)) as Uint8Array | undefined;
  }

  getAllBinary(key: string): Uint8Array[] {
    return this.#all(binaryKey(key)) as Uint8Array[];
  }

  setBinary(key: string, value: Uint8Array): void {
    this.#replace(binaryKey(key), value);
  }

  appendBinary(key: string, value: Uint8Array): void {
    this.#add(binaryKey(key), value);
  }

  /** Every pair of the keys that end in "-bin". */
  *binaryEntries(): IterableIterator<[string, Uint8Array]> {
    for (const [at, key] of this.#keys.entries()) {
      const value = this.#values[at];
      if (value !== undefined && typeof value !== "string") yield [key, value];
    }
  }

  #first(key: string): Value | undefined {
    const at = this.#keys.indexOf(key);
    return at < 0 ? undefined : this.#values[at];
  }

  #all(key: string): Value[] {
    return this.#values.filter((_, at) => this.#keys[at] === key);
  }

  #add(key: string, value: Value): void {
    this.#keys.push(key);
    this.#values.push(value);
  }

  #replace(key: string, value: Value): void {
    if (this.#keys.includes(key)) this.delete(key);
    this.#add(key, value);
  }

  /** For the transport: calls `each` with every pair, without the cost of an iterator. */
  static each(metadata: Metadata, each: (key: string, value: Value) => void): void {
    const keys = metadata.#keys;
    for (let at = 0; at < keys.length; at++) each(keys[at] as string, metadata.#values[at] as Value);
  }

  /** For the transport: adds a pair that came over the wire, where it was checked already. */
  static received(metadata: Metadata, key: string, value: Value): void {
    metadata.#add(key, value);
  }
}

function normal(key: string): string {
  const known = knownKeys.get(key);
  if (known !== undefined) return known;
  const lower = key.toLowerCase();
  if (!keyPattern.test(lower)) throw new TypeError(`not a metadata key: ${JSON.stringify(key)}`);
  if (knownKeys.size < maxKnownKeys) knownKeys.set(key, lower);
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
