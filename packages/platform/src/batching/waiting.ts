/** Somebody who waits for the result of one item of a run. */
export interface Waiting<Item, Result> {
  readonly item: Item;
  readonly settle: PromiseWithResolvers<Result>;
}

/**
 * Runs items together and gives each who waits their own result, which `run` answers in the order of the items. A run
 * that fails, or answers another number of results, fails for all of them; this itself never fails.
 */
export async function runTogether<Item, Result>(
  batch: readonly Waiting<Item, Result>[],
  run: (items: readonly Item[]) => Promise<readonly Result[]>,
): Promise<void> {
  try {
    const results = await run(batch.map(({ item }) => item));
    if (results.length !== batch.length) throw new Error("a run answered another number of results");
    results.forEach((result, at) => batch[at]?.settle.resolve(result));
  } catch (error) {
    for (const { settle } of batch) settle.reject(error);
  }
}
