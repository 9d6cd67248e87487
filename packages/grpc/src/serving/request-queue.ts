interface Held {
  readonly message: Uint8Array;
  readonly wireLength: number;
  readonly compressed: boolean;
}

/** The requests of a client stream: what the implementation has not asked for yet waits here. */
export class RequestQueue implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly #held: Held[] = [];
  readonly #onTaken: (wireLength: number, compressed: boolean) => void;
  #ended = false;
  #error: Error | undefined;
  #left = false;
  #wake: (() => void) | undefined;

  constructor(onTaken: (wireLength: number, compressed: boolean) => void) {
    this.#onTaken = onTaken;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  add(message: Buffer, wireLength: number, compressed: boolean): void {
    if (this.#left) return this.#onTaken(wireLength, compressed);
    // A small message would hold the whole chunk that it was read in.
    const kept = message.length < 4_096 ? Buffer.from(message) : message;
    this.#held.push({ message: kept, wireLength, compressed });
    this.#wake?.();
  }

  /** No more will come; with an error the reader is thrown it behind what is there. */
  end(error?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    this.#wake?.();
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    for (;;) {
      const held = this.#held.shift();
      if (held !== undefined) {
        this.#onTaken(held.wireLength, held.compressed);
        return { done: false, value: held.message };
      }
      if (this.#ended || this.#left) {
        const error = this.#error;
        this.#error = undefined;
        if (error !== undefined) throw error;
        return { done: true, value: undefined };
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#left = true;
    for (const { wireLength, compressed } of this.#held.splice(0)) this.#onTaken(wireLength, compressed);
    return { done: true, value: undefined };
  }
}
