import { GrpcError, Status } from "@chirrup/grpc";

/** Lets a test delay or fail answers of the peers, so that the work of the feed interleaves in any order. */
export interface Gates {
  /** Where an answer passes before it leaves. */
  pass<T>(method: string, answer: T): Promise<T>;
  /** The next answer of a method waits for `release`. */
  holdNext(method: string): void;
  /** The next answer of a method is lost. */
  failNext(method: string): void;
  /** Lets the answer go that waited longest. */
  release(): void;
  /** Lets all answers go, now and from now on. */
  open(): void;
  /** How many answers wait. */
  held(): number;
  /** Resolves when an answer is next made to wait. */
  nextHeld(): Promise<void>;
}

export function createGates(): Gates {
  const plans: { method: string; plan: "hold" | "fail" }[] = [];
  const waiting: (() => void)[] = [];
  let held = Promise.withResolvers<void>();
  return {
    async pass(method, answer) {
      const index = plans.findIndex((planned) => planned.method === method);
      if (index === -1) return answer;
      const [planned] = plans.splice(index, 1);
      if (planned?.plan === "fail") throw new GrpcError(Status.UNAVAILABLE, `${method}: the answer is lost`);
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push(resolve);
      held.resolve();
      held = Promise.withResolvers<void>();
      await promise;
      return answer;
    },
    holdNext(method) {
      plans.push({ method, plan: "hold" });
    },
    failNext(method) {
      plans.push({ method, plan: "fail" });
    },
    release() {
      waiting.shift()?.();
    },
    open() {
      plans.length = 0;
      for (const resolve of waiting.splice(0)) resolve();
    },
    held: () => waiting.length,
    nextHeld: () => held.promise,
  };
}
