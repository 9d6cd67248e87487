import type { Access, State } from "../launcher/state.ts";
import { createRandom } from "../seed/random.ts";
import { type Cast, openCast } from "./cast.ts";
import { createLedger, type Ledger } from "./ledger.ts";
import { startObserver } from "./observer.ts";
import { summarize, type Summary } from "./summary.ts";
import { verify } from "./verify.ts";
import type { CheckResult } from "./verify-writes.ts";
import { startWriter, type Writer } from "./writer.ts";

/** How much is written in a run, and by whom. */
export interface Load {
  readonly writesPerSecond: number;
  readonly writers: number;
  /** The same number writes, and kills, in the same order. */
  readonly randomSeed: number;
}

/** Users who write through the public API, one who watches, and the account of what was acknowledged to them. */
export interface Run extends AsyncDisposable {
  /** Begins the content of every post, and is of this run alone. */
  readonly mark: string;
  readonly cast: Cast;
  startWriter(): Writer;
  /** Writes of any kind so far. */
  acknowledged(): number;
  /** Compares all that was acknowledged with what is there, when nobody writes any more. */
  verify(access: Access): Promise<readonly CheckResult[]>;
  summarize(checks: readonly CheckResult[]): Summary;
}

const acknowledgedIn = ({ counts }: Ledger): number =>
  Object.values(counts).reduce((sum, { acknowledged }) => sum + acknowledged, 0);

/** Registers the users, and lets one watch from now on. */
export async function openRun(state: State, { writesPerSecond, writers, randomSeed }: Load): Promise<Run> {
  const startedAt = performance.now();
  const mark = `f${Date.now().toString(36)}`;
  const ledger = createLedger();
  const random = createRandom(randomSeed + 1);
  const cast = await openCast({ gatewayUrl: state.gatewayUrl, mark, writers, random, ledger });
  const observer = startObserver(cast.reader, ledger);
  return {
    mark,
    cast,
    startWriter: () =>
      startWriter({
        accounts: cast.writers,
        ledger,
        random: createRandom(randomSeed + 2),
        writesPerSecond,
        mark,
      }),
    acknowledged: () => acknowledgedIn(ledger),
    verify: (access) => verify({ access, ledger, mark, observer }),
    summarize: (checks) => summarize({ state, randomSeed, startedAt, ledger, checks }),
    async [Symbol.asyncDispose]() {
      await observer.stop();
      cast.close();
    },
  };
}
