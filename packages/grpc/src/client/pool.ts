import { GrpcError } from "../error.ts";
import { Status } from "../status.ts";
import type { ClientCall, Router } from "./client-call.ts";
import { Endpoint, firstBackoffMs, maxBackoffMs, type EndpointOptions } from "./endpoint.ts";
import { RetryBudget } from "./retry-budget.ts";
import type { Address, Target } from "./target.ts";

/** How often the addresses of a name are looked up anew while calls are made. */
const lookupIntervalMs = 10_000;
/** The shortest time between two lookups. */
const minLookupMs = 1_000;
const maxAttempts = 5;

export type Policy = "round_robin" | "pick_first";

/**
 * The endpoints of a target. Calls go to those that are connected, in turn; without one they wait for the first, and
 * fail with UNAVAILABLE when every address does, unless they wait for better times.
 */
export class Pool implements Router {
  readonly #target: Target;
  readonly #options: EndpointOptions;
  readonly #policy: Policy;
  readonly #budget = new RetryBudget();
  #endpoints: Endpoint[] = [];
  #ready: Endpoint[] = [];
  #turn = 0;
  readonly #waiting = new Set<ClientCall>();
  #resolving = false;
  #resolvedAtMs = Number.NEGATIVE_INFINITY;
  #resolveFailures = 0;
  #resolveError: string | undefined;
  #lookup: NodeJS.Timeout | undefined;
  #retryLookup: NodeJS.Timeout | undefined;
  #used = false;
  #closed = false;

  constructor(target: Target, options: EndpointOptions, policy: Policy) {
    this.#target = target;
    this.#options = options;
    this.#policy = policy;
  }

  /** Sends a call over a connection, now or when there is one. */
  start(call: ClientCall): void {
    if (this.#closed) return call.finish(new GrpcError(Status.UNAVAILABLE, "the channel is closed"));
    call.attempts++;
    this.#used = true;
    const { length } = this.#ready;
    if (length > 0) {
      this.#turn = (this.#turn + 1) % length;
      const connection = this.#ready[this.#turn]?.connection;
      if (connection !== undefined) return connection.start(call);
    }
    this.#waiting.add(call);
    this.#connect();
    if (!call.setup.waitForReady && this.#isFailing()) this.#fail(call);
  }

  again(call: ClientCall, begun: boolean): boolean {
    if (call.attempts >= maxAttempts || (begun && !this.#budget.take())) return false;
    // After the frame that is being read, which may say more of this connection.
    setImmediate(() => {
      if (!call.done) this.start(call);
    }).unref();
    return true;
  }

  ended(call: ClientCall, failed: boolean): void {
    if (!failed) this.#budget.succeeded();
    if (this.#waiting.size > 0) this.#waiting.delete(call);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#lookup);
    clearTimeout(this.#retryLookup);
    for (const call of this.#waiting) {
      call.finish(new GrpcError(Status.UNAVAILABLE, "the channel is closed"));
    }
    for (const endpoint of this.#endpoints) endpoint.close();
    this.#ready = [];
  }

  #connect(): void {
    if (this.#endpoints.length === 0) return this.#resolve();
    for (const endpoint of this.#endpoints) {
      endpoint.connect();
      endpoint.hold();
      if (this.#policy === "pick_first" && endpoint.state === "connecting") return;
    }
  }

  /** Whether no address can be hoped for before the end of a backoff. */
  #isFailing(): boolean {
    if (this.#ready.length > 0 || this.#resolving) return false;
    if (this.#endpoints.length === 0) return this.#resolveError !== undefined;
    return this.#endpoints.every(({ state }) => state === "backoff");
  }

  #fail(call: ClientCall): void {
    const reason = this.#endpoints[0]?.lastError ?? this.#resolveError ?? "no connection";
    call.finish(new GrpcError(Status.UNAVAILABLE, reason));
  }

  #changed(endpoint: Endpoint): void {
    this.#ready = this.#endpoints.filter(({ state }) => state === "ready");
    if (this.#policy === "pick_first") this.#ready.length = Math.min(1, this.#ready.length);
    if (endpoint.state === "ready") return this.#startWaiting();
    if (endpoint.state === "idle") {
      this.#resolveSoon();
      // The other addresses go on meanwhile; alone, it waits for the next call.
      if (this.#waiting.size > 0 || (this.#ready.length > 0 && this.#policy === "round_robin"))
        this.#connect();
      return;
    }
    if (endpoint.state !== "backoff") return;
    if (this.#policy === "pick_first" && this.#waiting.size > 0) this.#connect();
    if (this.#waiting.size > 0) endpoint.hold();
    if (!this.#isFailing()) return;
    for (const call of this.#waiting) if (!call.setup.waitForReady) this.#fail(call);
  }

  #startWaiting(): void {
    const calls = [...this.#waiting];
    this.#waiting.clear();
    for (const call of calls) {
      call.attempts--;
      this.start(call);
    }
  }

  /** Addresses may have changed; a second ago they had not. */
  #resolveSoon(): void {
    if (this.#target.isName && performance.now() - this.#resolvedAtMs > minLookupMs) this.#resolve();
  }

  #resolve(): void {
    if (this.#resolving || this.#retryLookup !== undefined || this.#closed) return;
    this.#resolving = true;
    this.#target.resolve().then(
      (addresses) => this.#resolved(addresses),
      (error: unknown) => this.#unresolved(error),
    );
    if (!this.#target.isName || this.#lookup !== undefined) return;
    this.#lookup = setInterval(() => {
      if (this.#used) this.#resolve();
      this.#used = false;
    }, lookupIntervalMs).unref();
  }

  #resolved(addresses: readonly Address[]): void {
    this.#resolving = false;
    this.#resolvedAtMs = performance.now();
    this.#resolveFailures = 0;
    this.#resolveError = undefined;
    if (this.#closed) return;
    const known = new Map(this.#endpoints.map((endpoint) => [keyOf(endpoint.address), endpoint]));
    const next = new Map<string, Endpoint>();
    for (const address of addresses) {
      const key = keyOf(address);
      const endpoint =
        known.get(key) ?? new Endpoint(address, this.#options, (changed) => this.#changed(changed));
      next.set(key, endpoint);
    }
    this.#endpoints = [...next.values()];
    this.#ready = this.#ready.filter(({ address }) => next.has(keyOf(address)));
    for (const [key, endpoint] of known) if (!next.has(key)) endpoint.close();
    if (this.#waiting.size > 0 || this.#ready.length > 0) this.#connect();
  }

  /** What is known of the addresses stays; without any the calls that do not wait fail. */
  #unresolved(error: unknown): void {
    this.#resolving = false;
    this.#resolveError = `cannot resolve the target: ${error instanceof Error ? error.message : String(error)}`;
    if (this.#closed || this.#endpoints.length > 0) return;
    const waitMs = Math.min(maxBackoffMs, firstBackoffMs * 2 ** this.#resolveFailures++);
    this.#retryLookup = setTimeout(() => {
      this.#retryLookup = undefined;
      this.#resolveError = undefined;
      if (this.#waiting.size > 0) this.#resolve();
    }, waitMs);
    for (const call of this.#waiting) if (!call.setup.waitForReady) this.#fail(call);
    if (this.#waiting.size === 0) this.#retryLookup.unref();
  }
}

function keyOf({ host, port }: Address): string {
  return `${host} ${port}`;
}
