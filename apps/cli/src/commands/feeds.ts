import { rebuildFeeds } from "../feeds/rebuild.ts";
import { openHome } from "../launcher/paths.ts";
import { runningState } from "../launcher/status.ts";
import { wholeNumber } from "./whole-number.ts";

export interface RebuildFlags {
  readonly all?: boolean;
  readonly concurrency: string;
  readonly json?: boolean;
}

/** `chirrup feeds rebuild`: home timelines are in Redis before their readers come. */
export async function rebuild(flags: RebuildFlags): Promise<void> {
  const home = openHome();
  const state = runningState(home);
  if (state === undefined) throw new Error("nothing runs; start the platform with: npm run up");
  const result = await rebuildFeeds(home, {
    userDatabase: state.access.databases.user,
    feedAddress: state.access.feedAddress,
    peerSecret: state.access.peerSecret,
    anew: flags.all === true,
    concurrency: wholeNumber("--concurrency", flags.concurrency, 1, 64),
  });
  process.stdout.write(
    flags.json === true
      ? `${JSON.stringify(result)}\n`
      : `${result.built} of ${result.readers} home timelines were built, in ${result.seconds} s.\n`,
  );
}
