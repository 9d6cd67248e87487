/** The last ids that were added, up to 1,024 of them. */
export class RecentIds {
  readonly #known = new Set<number>();

  add(id: number): void {
    this.#known.add(id);
    if (this.#known.size <= 1_024) return;
    // A set iterates in the order of insertion.
    for (const oldest of this.#known) {
      this.#known.delete(oldest);
      return;
    }
  }

  has(id: number): boolean {
    return this.#known.has(id);
  }
}
