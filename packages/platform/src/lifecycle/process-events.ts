export interface Subscription {
  dispose(): void;
}

/** Calls back for each signal to stop, and when the launcher of a supervised process is gone. */
export function onStopRequest(stop: (reason: string) => void): Subscription {
  const onSignal = (signal: NodeJS.Signals): void => stop(signal);
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  const launcher = process.env["CHIRRUP_SUPERVISED"] === "1" ? watchLauncher(stop) : undefined;
  return {
    dispose() {
      // The handlers of the signals stay: without them a second SIGTERM would kill the process at its last line.
      launcher?.dispose();
    },
  };
}

/** The launcher holds the other end of the standard input, so that its end, however it came, is seen here. */
function watchLauncher(stop: (reason: string) => void): Subscription {
  const onEnd = (): void => stop("the launcher is gone");
  process.stdin.once("end", onEnd);
  process.stdin.once("close", onEnd);
  process.stdin.on("error", onEnd);
  process.stdin.resume();
  return {
    dispose() {
      process.stdin.destroy();
    },
  };
}

/** Calls back for an error that nothing handled; the process is in an unknown state by then. */
export function onProcessFault(fault: (error: unknown, origin: string) => void): Subscription {
  process.on("uncaughtException", fault);
  return {
    dispose() {
      process.off("uncaughtException", fault);
    },
  };
}
