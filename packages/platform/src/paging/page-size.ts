import { invalidArgument } from "../errors/index.ts";

/** How many things a page holds. */
export interface PageLimits {
  /** When the caller asks for 0, which is what an absent field reads as. 20 unless given. */
  default?: number;
  /** What a larger wish is cut to. 100 unless given. */
  max?: number;
}

/**
 * The size of the page to answer with, from the `page_size` of a request.
 *
 * Throws INVALID_ARGUMENT on `pageSize` when it is negative or not a whole number.
 */
export function pageSize(requested: number, limits: PageLimits = {}): number {
  const { default: fallback = 20, max = 100 } = limits;
  if (!Number.isInteger(requested) || requested < 0) {
    throw invalidArgument({ field: "pageSize", description: "must be a whole number of 0 or more" });
  }
  return requested === 0 ? fallback : Math.min(requested, max);
}
