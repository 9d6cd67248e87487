/**
 * How many calls may be sent a second time: a tenth of those that succeed, and ten more. When a server is in trouble
 * for good, repeating what it failed would only add to that
 * (https://github.com/grpc/proposal/blob/master/A6-client-retries.md, "Throttling").
 */
export class RetryBudget {
  #left = 10;

  succeeded(): void {
    if (this.#left < 10) this.#left = Math.min(10, this.#left + 0.1);
  }

  take(): boolean {
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}
