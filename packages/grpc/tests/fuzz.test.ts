import { expect, it } from "vitest";

import { serviceOf } from "../src/index.ts";
import { methodsByPath } from "../src/serving/methods.ts";
import { Echo, parrot } from "./echo-service.ts";
import { playCase } from "./fuzz.ts";

/** Their number is that of the bench's long run when it is set; the same seeds play the same cases. */
const cases = Number(process.env["GRPC_FUZZ_CASES"] ?? 5_000);

it(
  "survives any sequence of frames, as a server and as a client",
  async () => {
    const methods = methodsByPath([serviceOf(Echo, parrot)], []);
    let played = 0;
    for (let seed = 1; seed <= cases; seed++) {
      await playCase(seed, methods).catch((cause: unknown) => {
        throw new Error(`the case of seed ${seed} failed`, { cause });
      });
      played++;
    }
    expect(played).toBe(cases);
  },
  30_000 + 10 * cases,
);
