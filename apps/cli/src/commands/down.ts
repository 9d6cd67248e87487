import { openHome } from "../launcher/paths.ts";
import { stopLeftovers } from "../launcher/platform.ts";
import { isRunning, readState } from "../launcher/state.ts";

const stopWithinMs = 60_000;

/** `chirrup down`: stops the platform of this home and waits until its last process is gone. */
export async function down(): Promise<void> {
  const home = openHome();
  const state = readState(home);
  if (state !== undefined && isRunning(state.launcher)) {
    process.stdout.write("Stopping …\n");
    process.kill(state.launcher.pid, "SIGTERM");
    const until = Date.now() + stopWithinMs;
    while (isRunning(state.launcher)) {
      if (Date.now() > until) {
        process.stdout.write("The launcher does not stop; ending it and its parts.\n");
        process.kill(state.launcher.pid, "SIGKILL");
      }
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    await stopLeftovers(home);
    process.stdout.write("All parts are stopped; the data is kept.\n");
    return;
  }
  const left = await stopLeftovers(home);
  process.stdout.write(
    left === 0 ? "Nothing runs.\n" : `Stopped ${left} processes that a killed launcher left.\n`,
  );
}
