import type { WrittenPost } from "./ledger.ts";

/** One page of a feed, newest first, as it was answered. */
export interface SeenPage {
  readonly ids: readonly bigint[];
  /** The page reaches to the feed's end. */
  readonly whole: boolean;
  /** When the answer was there, on the ledger's clock. */
  readonly readAt: number;
}

/**
 * What is wrong with the order of a page of a reader who follows every author: ids that do not fall, or an
 * author's later post without one that was acknowledged before the later was asked for. Undefined when
 * nothing is.
 */
export function orderFault(page: SeenPage, posts: readonly WrittenPost[]): string | undefined {
  for (const [index, id] of page.ids.entries()) {
    const before = page.ids[index - 1];
    if (before !== undefined && before <= id) return `post ${id} stands behind post ${before}`;
  }
  const seen = new Set(page.ids);
  const end = page.whole ? 0n : (page.ids.at(-1) ?? 0n);
  const latest = new Map<string, WrittenPost>();
  for (const post of posts) {
    if (post.id === undefined || !seen.has(post.id)) continue;
    const other = latest.get(post.authorId);
    if (other === undefined || other.sentAt < post.sentAt) latest.set(post.authorId, post);
  }
  for (const post of posts) {
    const later = latest.get(post.authorId);
    if (later === undefined || post.id === undefined || post.acknowledgedAt === undefined) continue;
    if (post.id < end || seen.has(post.id) || post.acknowledgedAt >= later.sentAt) continue;
    if (post.deletionSentAt !== undefined && post.deletionSentAt <= page.readAt) continue;
    return `post ${post.id} is missing below the author's later post ${later.id}`;
  }
  return undefined;
}
