import { stat } from "node:fs/promises";
import { pause } from "../pause.ts";

/**
 * Calls back when one of the files is another than before, until the signal aborts. The callback is awaited.
 *
 * Why it asks every so often in place of listening to the file system: a ConfigMap changes by the swap of a symbolic link
 * two levels up, and some volumes tell nobody. What `stat` sees through the links is always right, for three system calls.
 */
export async function watchFiles(
  paths: readonly string[],
  everyMs: number,
  signal: AbortSignal,
  changed: () => Promise<void>,
): Promise<void> {
  let before = await stamps(paths);
  while (!signal.aborted) {
    await pause(everyMs, signal);
    const now = await stamps(paths);
    if (signal.aborted || now === before) continue;
    before = now;
    await changed();
  }
}

async function stamps(paths: readonly string[]): Promise<string> {
  const all = await Promise.all(
    paths.map(async (path) => {
      try {
        const { dev, ino, mtimeMs, ctimeMs, size } = await stat(path);
        return [dev, ino, mtimeMs, ctimeMs, size].join(" ");
      } catch {
        return "none";
      }
    }),
  );
  return all.join("\n");
}
