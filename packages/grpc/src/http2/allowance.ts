/** How often a peer may do what costs it little and this end more: `burst` at once, then `perSecond`. */
export class Allowance {
  readonly #burst: number;
  readonly #perMs: number;
  #left: number;
  #refilledMs = 0;

  constructor(burst: number, perSecond: number) {
    this.#burst = burst;
    this.#perMs = perSecond / 1000;
    this.#left = burst;
  }

  /** Takes `cost`; false when the peer has had all that it may. The clock is read only then. */
  spend(cost: number): boolean {
    this.#left -= cost;
    if (this.#left >= 0) return true;
    const nowMs = performance.now();
    const earned = this.#refilledMs === 0 ? 0 : (nowMs - this.#refilledMs) * this.#perMs;
    this.#refilledMs = nowMs;
    this.#left = Math.min(this.#burst, this.#left + earned);
    return this.#left >= 0;
  }

  /** Work of use gives back. */
  earn(amount: number): void {
    if (this.#left < this.#burst) this.#left += amount;
  }
}
