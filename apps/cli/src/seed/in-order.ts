/**
 * Runs the work for 0 … total-1 with at most `concurrency` at once. `progress` is told how many from the
 * start are done without a gap: what a resumed run may skip. The first failure stops the rest.
 */
export async function runInOrder(
  options: { readonly from: number; readonly total: number; readonly concurrency: number },
  work: (index: number) => Promise<void>,
  progress: (doneWithoutGap: number) => void,
): Promise<void> {
  let next = options.from;
  let contiguous = options.from;
  const ahead = new Set<number>();
  let failure: { readonly error: unknown } | undefined;
  async function worker(): Promise<void> {
    while (next < options.total && failure === undefined) {
      const index = next;
      next += 1;
      try {
        await work(index);
      } catch (error) {
        failure ??= { error };
        return;
      }
      ahead.add(index);
      while (ahead.delete(contiguous)) contiguous += 1;
      progress(contiguous);
    }
  }
  await Promise.all(Array.from({ length: Math.max(1, options.concurrency) }, worker));
  if (failure !== undefined) throw failure.error;
}
