import { Status } from "@chirrup/grpc";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Service } from "./user-service.ts";
import { codeOf, from, signUp, startService } from "./user-service.ts";

/** In CI a few; `TIMING_PAIRS=1000 npx vitest run services/user/tests/timing.test.ts` is the long form. */
const pairs = Number(process.env["TIMING_PAIRS"] ?? 60);

let service: Service;
beforeAll(async () => {
  service = await startService({
    SIGN_IN_FREE_ATTEMPTS: "1000000",
    SIGN_IN_FREE_ATTEMPTS_ELSEWHERE: "1000000",
    SIGN_IN_FREE_ATTEMPTS_ADDRESS: "1000000",
  });
});
afterAll(() => service[Symbol.asyncDispose]());

async function timeMs(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/**
 * How often the first of a pair takes longer, as a z-score (the sign test): 0 when the two are alike, and beyond ±4 by
 * chance once in 16,000 runs. Signs, because a shared machine's outliers tell nothing about the service.
 */
function signTest(differences: readonly number[]): number {
  const longer = differences.filter((difference) => difference > 0).length;
  return (longer - differences.length / 2) / (Math.sqrt(differences.length) / 2);
}

/** Times both in turn, which goes first by turns too. */
async function compare(
  one: () => Promise<unknown>,
  two: () => Promise<unknown>,
): Promise<{ z: number; medianMs: number; differenceMs: number }> {
  const differences: number[] = [];
  const times: number[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    const oneFirst = pair % 2 === 0;
    const first = await timeMs(oneFirst ? one : two);
    const second = await timeMs(oneFirst ? two : one);
    differences.push(oneFirst ? first - second : second - first);
    times.push(first, second);
  }
  return { z: signTest(differences), medianMs: median(times), differenceMs: median(differences) };
}

it("an unknown login takes as long as a wrong password", { timeout: 60_000 + pairs * 500 }, async () => {
  const { client } = service;
  const { username } = await signUp(client);
  const address = from("198.51.100.20");
  const attempt = (login: string) => async () => {
    expect(await codeOf(client.login({ login, password: "not the password" }, address))).toBe(
      Status.UNAUTHENTICATED,
    );
  };
  const [known, unknown] = [attempt(username), attempt("nobody_like_that")];
  await compare(known, unknown);
  const { z, medianMs, differenceMs } = await compare(known, unknown);
  console.log(
    `sign-in: ${pairs} pairs, median ${medianMs.toFixed(2)} ms, median difference ${differenceMs.toFixed(3)} ms, sign test z ${z.toFixed(2)}`,
  );
  expect(Math.abs(z)).toBeLessThan(4);
  // Planted: without the hash for a login that nobody has, the difference is nearly all of it.
  expect(Math.abs(differenceMs)).toBeLessThan(medianMs / 5);
});

it(
  "a password reset takes as long for an address that nobody has",
  { timeout: 60_000 + pairs * 100 },
  async () => {
    const { client } = service;
    const { email } = await signUp(client);
    const ask = (address: string) => () => client.requestPasswordReset({ email: address });
    const { z, medianMs, differenceMs } = await compare(ask(email), ask("nobody.there@example.com"));
    console.log(
      `reset: ${pairs} pairs, median ${medianMs.toFixed(2)} ms, median difference ${differenceMs.toFixed(3)} ms, sign test z ${z.toFixed(2)}`,
    );
    expect(Math.abs(z)).toBeLessThan(4);
  },
);
