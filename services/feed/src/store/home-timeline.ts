import { createTimelines, type TimelineOptions, type Timelines } from "./timeline.ts";

/**
 * `home:{reader}`: recent posts of those whom a reader follows, and the reader's own, for readers who came
 * by lately. Complete above its floor but for authors whose state was *celebrity* when they posted, whose
 * outboxes are read beside it.
 */
export function createHomeTimelines(options: Omit<TimelineOptions, "prefix">): Timelines {
  return createTimelines({ ...options, prefix: "home:" });
}
