/** What is told of a cancellation. */
export interface CancellationListener {
  handleEvent(): void;
}

/** Says whether something is wanted no longer. An AbortSignal is one; a Canceller costs less. */
export interface Cancellation {
  readonly aborted: boolean;
  readonly reason: unknown;
  /** Throws the reason when it is aborted. */
  throwIfAborted(): void;
  addEventListener(type: "abort", listener: CancellationListener): void;
  removeEventListener(type: "abort", listener: CancellationListener): void;
}

/**
 * A cancellation and what brings it about, as an AbortController and its signal in one.
 *
 * Why not those: each call has one, hardly any is ever cancelled, and their events take more memory and time than the
 * rest of a call's options. They also move a lasting signal's listeners to the old heap, and the calls with them: a
 * listener that has been removed still refers to the next one.
 */
export class Canceller implements Cancellation {
  #aborted = false;
  #reason: unknown;
  #listeners: CancellationListener[] | undefined;

  get aborted(): boolean {
    return this.#aborted;
  }

  get reason(): unknown {
    return this.#reason;
  }

  /** The first counts; each listener is told once, in no order. */
  abort(reason: unknown): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reason = reason;
    const listeners = this.#listeners ?? [];
    this.#listeners = undefined;
    for (const listener of listeners) listener.handleEvent();
  }

  throwIfAborted(): void {
    if (this.#aborted) throw this.#reason;
  }

  addEventListener(_type: "abort", listener: CancellationListener): void {
    if (this.#aborted) return;
    if (this.#listeners === undefined) this.#listeners = [listener];
    else this.#listeners.push(listener);
  }

  removeEventListener(_type: "abort", listener: CancellationListener): void {
    const listeners = this.#listeners;
    const last = listeners?.pop();
    if (listeners === undefined || last === undefined || last === listener) return;
    const at = listeners.indexOf(listener);
    if (at < 0) listeners.push(last);
    else listeners[at] = last;
  }
}

const lasting = new WeakMap<AbortSignal, Canceller>();

/** What ends together with a signal that outlives many calls: the same one each time. */
export function cancellationOf(signal: AbortSignal): Cancellation {
  let canceller = lasting.get(signal);
  if (canceller === undefined) {
    const made = new Canceller();
    canceller = made;
    lasting.set(signal, made);
    if (signal.aborted) made.abort(signal.reason);
    else signal.addEventListener("abort", () => made.abort(signal.reason), { once: true });
  }
  return canceller;
}
