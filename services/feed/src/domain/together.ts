import { runTogether, type Waiting } from "@chirrup/platform";

/**
 * Runs together what is asked in one turn of the event loop, at most `most` at a time: what came together goes on
 * together. `run` answers one result for each item, in their order; when it fails, it fails for all of them.
 */
export function together<Item, Result>(
  most: number,
  run: (items: readonly Item[]) => Promise<readonly Result[]>,
): (item: Item) => Promise<Result> {
  let gathered: Waiting<Item, Result>[] = [];

  function leave(): void {
    const batch = gathered;
    gathered = [];
    if (batch.length > 0) void runTogether(batch, run);
  }

  return (item) => {
    const settle = Promise.withResolvers<Result>();
    const count = gathered.push({ item, settle });
    if (count === most) leave();
    else if (count === 1) setImmediate(leave);
    return settle.promise;
  };
}
