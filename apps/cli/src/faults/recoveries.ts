import { percentile } from "../seed/visibility.ts";
import type { Strike } from "./strike.ts";
import { type Kind, kinds } from "./victims.ts";

/** How long the kills of one kind were felt; see Strike. */
export interface Recovery {
  readonly kind: Kind | "pair";
  /** Of a pair, both together are one. */
  readonly kills: number;
  readonly readyMsP50: number;
  readonly readyMsMax: number;
  readonly visibleMsP50: number;
  readonly visibleMsMax: number;
}

export function recoveries(strikes: readonly Strike[]): readonly Recovery[] {
  return ([...kinds, "pair"] as const).flatMap((kind) => {
    const of = strikes.filter((strike) => strike.kind === kind);
    if (of.length === 0) return [];
    const ready = of.map(({ readyMs }) => readyMs).toSorted((a, b) => a - b);
    const visible = of.map(({ visibleMs }) => visibleMs).toSorted((a, b) => a - b);
    return [
      {
        kind,
        kills: of.length,
        readyMsP50: percentile(ready, 0.5) ?? 0,
        readyMsMax: ready.at(-1) ?? 0,
        visibleMsP50: percentile(visible, 0.5) ?? 0,
        visibleMsMax: visible.at(-1) ?? 0,
      },
    ];
  });
}
