import { GrpcError, Status } from "@chirrup/grpc";

/** Lets a test delay or fail answers of the peers, so that the work of the feed interleaves in any order. */
export interface Gates {
  /** Where an answer passes before it leaves. */
  pass<T>(method: string, answer: T): Promise<T>;
  /** The next answer of a method waits for `release`. */
  holdNext(method: string): void;
  /** The next answer of a method is lost, or the one that comes after so many more. */
  failNext(method: string, after?: number): void;
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
  const plans: { method: string; plan: "hold" | "fail"; after: number }[] = [];
  const waiting: (() => void)[] = [];
  let held = Promise.withResolvers<void>();
  return {
    async pass(method, answer) {
      const index = plans.findIndex((planned) => planned.method === method);
      const planned = plans[index];
      if (planned === undefined) return answer;
      planned.after -= 1;
      if (planned.after >= 0) return answer;
      plans.splice(index, 1);
      if (planned.plan === "fail") throw new GrpcError(Status.UNAVAILABLE, `${method}: the answer is lost`);
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push(resolve);
      held.resolve();
      held = Promise.withResolvers<void>();
      await promise;
      return answer;
    },
    holdNext(method) {
      plans.push({ method, plan: "hold", after: 0 });
    },
    failNext(method, after = 0) {
      plans.push({ method, plan: "fail", after });
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
