import type { Home } from "./paths.ts";
import { isRunning, type PartRecord, type PartState, readState, type State } from "./state.ts";

export interface PartStatus {
  readonly name: string;
  readonly pid: number | null;
  readonly url: string;
  readonly state: PartState | "unready";
}

/** What runs here now; `ready` only when every part says so itself. */
export type Status =
  | { readonly ready: false }
  | {
      readonly ready: boolean;
      readonly profile: string;
      readonly gatewayUrl: string;
      readonly parts: readonly PartStatus[];
    };

const askWithinMs = 400;

async function statusOf(part: PartRecord): Promise<PartStatus> {
  const alive = isRunning(part.process);
  const answer = (state: PartStatus["state"]): PartStatus => ({
    name: part.name,
    pid: alive ? (part.process?.pid ?? null) : null,
    url: part.url,
    state,
  });
  if (part.state !== "ready") return answer(part.state);
  if (!alive) return answer("restarting");
  if (part.readyUrl === undefined) return answer("ready");
  try {
    const response = await fetch(part.readyUrl, { signal: AbortSignal.timeout(askWithinMs) });
    await response.body?.cancel();
    return answer(response.ok ? "ready" : "unready");
  } catch {
    return answer("unready");
  }
}

/** The state of a running platform, or undefined. */
export function runningState(home: Home): State | undefined {
  const state = readState(home);
  return state !== undefined && isRunning(state.launcher) ? state : undefined;
}

/** Asks every part at once; answers within half a second. */
export async function readStatus(home: Home): Promise<Status> {
  const state = runningState(home);
  if (state === undefined) return { ready: false };
  const parts = await Promise.all(state.parts.map(statusOf));
  return {
    ready: state.ready && parts.every((part) => part.state === "ready"),
    profile: state.profile,
    gatewayUrl: state.gatewayUrl,
    parts,
  };
}
