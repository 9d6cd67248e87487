import type { Lifecycle, Logger, Readiness } from "@chirrup/platform";
import type { Telemetry } from "../telemetry.ts";
import type { Contract } from "./contract.ts";
import { watchFiles } from "./watch-files.ts";

export interface LoadStatus {
  /** Of the files that are served. */
  readonly version: string;
  /** Why the files as they are now are not; undefined when they are. */
  readonly refused: string | undefined;
}

export interface Loaded {
  /** What requests that begin now are answered by. */
  current(): Contract;
  status(): LoadStatus;
  /** Reads the files now. Never rejects. */
  reload(): Promise<void>;
}

/** Adds the version that is served, and why another is not, to what /readyz says. */
export function withConfiguration(readiness: Readiness, loaded: Loaded): Readiness {
  return { ...readiness, report: () => ({ ...readiness.report(), configuration: loaded.status() }) };
}

/** Has SIGHUP reload, until the process stops. */
export function reloadOnHangUp({ onStop }: Pick<Lifecycle<unknown>, "onStop">, reload: () => void): void {
  process.on("SIGHUP", reload);
  onStop("reload", () => void process.off("SIGHUP", reload));
}

/**
 * Keeps the contract as the files are. It is read and checked whole and then swapped at once: a request is answered by the
 * one that it began with. Files that cannot be served are refused with the reason, and the old ones stay.
 */
export function keepLoaded(options: {
  readonly first: Contract;
  readonly load: () => Promise<Contract>;
  /** Those that are not there are passed over. */
  readonly paths: readonly (string | undefined)[];
  readonly everyMs: number;
  readonly log: Logger;
  readonly telemetry: Telemetry;
  readonly signal: AbortSignal;
  readonly onSwap: (contract: Contract) => void;
}): Loaded {
  const { load, log, telemetry, signal } = options;
  let contract = options.first;
  let refused: string | undefined;
  telemetry.loaded(contract.version);

  const take = async (): Promise<void> => {
    try {
      const next = await load();
      refused = undefined;
      if (next.version === contract.version) return;
      log.info({ version: next.version, before: contract.version }, "the files were read anew");
      contract = next;
      telemetry.loaded(next.version);
      options.onSwap(next);
    } catch (error) {
      refused = error instanceof Error ? error.message : String(error);
      telemetry.refused();
      log.error({ reason: refused, version: contract.version }, "the files were refused; the old ones stay");
    }
  };
  // One after the other, or an older state of the files could win.
  let last = Promise.resolve();
  const reload = (): Promise<void> => (last = last.then(take));

  const paths = options.paths.filter((path) => path !== undefined);
  void watchFiles(paths, options.everyMs, signal, reload);
  return { current: () => contract, status: () => ({ version: contract.version, refused }), reload };
}
