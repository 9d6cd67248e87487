/** How a write ended for the one who asked for it. */
export type Outcome = "acknowledged" | "refused" | "ambiguous";

/** A post that was asked for. Times are of one clock, ms. */
export interface WrittenPost {
  /** Tells it apart from every other post of every run. */
  readonly content: string;
  readonly authorId: string;
  readonly sentAt: number;
  outcome?: Outcome;
  /** Known when it was acknowledged. */
  id?: bigint;
  acknowledgedAt?: number;
  /** When its deletion was asked for. */
  deletionSentAt?: number;
  deletion?: Outcome;
}

/** An edge of the graph, or a like: it is there or not. */
export interface Tie {
  readonly kind: "follow" | "like";
  /** The user who follows or likes. */
  readonly from: string;
  /** The user followed, or the post liked. */
  readonly to: string;
  /** As the last acknowledgement said. */
  there: boolean;
  /**
   * An attempt had no answer and may still be done, also after a later one: the tie is never asked to change
   * again. `either` when no repetition of it was acknowledged.
   */
  closed: boolean;
  either: boolean;
}

export const writeKinds = ["post", "delete", "follow", "unfollow", "like", "unlike"] as const;
export type WriteKind = (typeof writeKinds)[number];
type Count = Record<Outcome, number>;

/** What was written in a run, as its writer knows it. */
export interface Ledger {
  readonly posts: WrittenPost[];
  readonly ties: Map<string, Tie>;
  readonly counts: Readonly<Record<WriteKind, Count>>;
}

export const tieKey = (kind: Tie["kind"], from: string, to: string): string => `${kind} ${from} ${to}`;

export function createLedger(): Ledger {
  const count = (): Count => ({ acknowledged: 0, refused: 0, ambiguous: 0 });
  return {
    posts: [],
    ties: new Map(),
    counts: {
      post: count(),
      delete: count(),
      follow: count(),
      unfollow: count(),
      like: count(),
      unlike: count(),
    },
  };
}
