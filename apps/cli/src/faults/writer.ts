import type { SeedAccount } from "../seed/accounts.ts";
import { pick, type Random } from "../seed/random.ts";
import { ask } from "./ask.ts";
import { type Ledger, type Tie, tieKey, type WriteKind, type WrittenPost } from "./ledger.ts";

export interface WriterOptions {
  readonly accounts: readonly SeedAccount[];
  readonly ledger: Ledger;
  readonly random: Random;
  readonly writesPerSecond: number;
  /** Begins the content of every post, and is of this run alone. */
  readonly mark: string;
}

export interface Writer {
  /** Starts nothing more and waits for what is under way. */
  stop(): Promise<void>;
}

/** More than are ever under way unless a part is away: then the writer waits for it. */
const mostAtOnce = 64;
/** Posts that likes and deletions fall on: the youngest, as events are still on their way for them. */
const youngest = 40;
const tieTries = 20;

/** Of 100 writes. The rest are likes and unlikes. */
const shares = { post: 50, delete: 8, follow: 18 };

/**
 * Writes at a steady rate through the public API and keeps account of what was acknowledged. One write at a
 * time changes a tie, and one at a time is a post of an author, so the order of what was acknowledged is known.
 */
export function startWriter(options: WriterOptions): Writer {
  const { accounts, ledger, random, mark } = options;
  const busy = new Set<string>();
  const underWay = new Set<Promise<void>>();
  let written = 0;

  function count(kind: WriteKind, outcome: keyof Ledger["counts"][WriteKind]): void {
    ledger.counts[kind][outcome] += 1;
  }

  async function writePost(author: SeedAccount, number: number): Promise<void> {
    const post: WrittenPost = {
      content: `${mark}-${number}`,
      authorId: author.id,
      sentAt: performance.now(),
    };
    ledger.posts.push(post);
    // Half of them are sent once: an answer that is lost leaves open whether the post is there.
    const repeat = number % 2 === 0;
    const request = { method: "POST", path: "/api/v1/posts", body: { content: post.content } } as const;
    const { outcome, answer } = await ask(
      author,
      repeat ? { ...request, idempotencyKey: post.content } : request,
      repeat,
    );
    if (outcome === "acknowledged") {
      const told = JSON.parse(answer?.text ?? "") as { post: { id: string } };
      post.id = BigInt(told.post.id);
      post.acknowledgedAt = performance.now();
    }
    post.outcome = outcome;
    count("post", outcome);
  }

  async function deletePost(post: WrittenPost, author: SeedAccount): Promise<void> {
    post.deletionSentAt = performance.now();
    const asked = await ask(author, { method: "DELETE", path: `/api/v1/posts/${post.id}` }, true);
    post.deletion = asked.outcome;
    count("delete", asked.outcome);
  }

  async function changeTie(tie: Tie, from: SeedAccount): Promise<void> {
    const path = tie.kind === "follow" ? `/api/v1/users/${tie.to}/follow` : `/api/v1/posts/${tie.to}/like`;
    const { outcome, unsure } = await ask(from, { method: tie.there ? "DELETE" : "PUT", path }, true);
    count(tie.there ? (tie.kind === "follow" ? "unfollow" : "unlike") : tie.kind, outcome);
    if (outcome === "acknowledged") tie.there = !tie.there;
    tie.closed = unsure;
    tie.either = outcome === "ambiguous";
  }

  function chooseTie(kind: Tie["kind"]): { tie: Tie; from: SeedAccount } | undefined {
    const liked = ledger.posts.slice(-youngest).filter((post) => post.id !== undefined);
    for (let tries = 0; tries < tieTries; tries += 1) {
      const from = pick(random, accounts);
      const to =
        kind === "follow"
          ? pick(random, accounts).id
          : liked.length > 0
            ? String(pick(random, liked).id)
            : from.id;
      if (to === from.id) continue;
      const key = tieKey(kind, from.id, to);
      const tie = ledger.ties.get(key) ?? {
        kind,
        from: from.id,
        to,
        there: false,
        closed: false,
        either: false,
      };
      if (tie.closed || busy.has(key)) continue;
      ledger.ties.set(key, tie);
      return { tie, from };
    }
    return undefined;
  }

  /** Begins one write; undefined when what was drawn is busy. */
  function begin(): { readonly holds: string; readonly work: Promise<void> } | undefined {
    const lot = random() * 100;
    if (lot < shares.post) {
      const author = pick(random, accounts);
      if (busy.has(author.id)) return undefined;
      written += 1;
      return { holds: author.id, work: writePost(author, written) };
    }
    if (lot < shares.post + shares.delete) {
      const candidates = ledger.posts
        .slice(-youngest)
        .filter((post) => post.id !== undefined && post.deletionSentAt === undefined);
      const post = candidates.length === 0 ? undefined : pick(random, candidates);
      const author = accounts.find(({ id }) => id === post?.authorId);
      if (post === undefined || author === undefined) return undefined;
      return { holds: `delete ${post.id}`, work: deletePost(post, author) };
    }
    const chosen = chooseTie(lot < shares.post + shares.delete + shares.follow ? "follow" : "like");
    if (chosen === undefined) return undefined;
    const { tie, from } = chosen;
    return { holds: tieKey(tie.kind, tie.from, tie.to), work: changeTie(tie, from) };
  }

  const failures: unknown[] = [];
  const timer = setInterval(() => {
    if (underWay.size >= mostAtOnce) return;
    const begun = begin();
    if (begun === undefined) return;
    busy.add(begun.holds);
    const one: Promise<void> = begun.work
      .catch((error: unknown) => void failures.push(error))
      .finally(() => {
        busy.delete(begun.holds);
        underWay.delete(one);
      });
    underWay.add(one);
  }, 1_000 / options.writesPerSecond);

  return {
    async stop() {
      clearInterval(timer);
      await Promise.all(underWay);
      if (failures.length > 0) throw new AggregateError(failures, "the writer failed");
    },
  };
}
