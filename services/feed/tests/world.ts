import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { EventSchema } from "@chirrup/proto/chirrup/events/v1/event";
import { CelebrityState } from "@chirrup/proto/chirrup/follow/v1/follow_service";
import { firstIdAt, type ReceivedEvent, type Topic, topics } from "@chirrup/platform";
import { createDatabase, type Database } from "./database.ts";
import type { TestClock } from "./test-clock.ts";

type Payload = NonNullable<MessageInitShape<typeof EventSchema>["payload"]>;

interface Standing {
  state: CelebrityState;
  epoch: bigint;
}

interface Edge {
  readonly followerId: bigint;
  readonly followeeId: bigint;
  readonly followId: bigint;
}

/** What the post service holds: the authors of posts, and the versions of those that were edited. */
export interface PostRows {
  readonly posts: Map<bigint, bigint>;
  readonly versions: Map<bigint, bigint>;
}

/** What the follow service holds and answers from a replica: edges by their ends, "follower>followee". */
export interface FollowRows {
  readonly edges: Map<string, Edge>;
}

/** Something that a user did, and its place in the log of the service's database. */
interface Written {
  readonly at: number;
}

export interface WorldOptions {
  /** What ids and the lag of replicas go by. Without it time stands still. */
  readonly clock?: TestClock;
}

let worlds = 0n;

/**
 * What the other services hold: users, posts, follows and celebrity states, with the event of each write.
 * Everything that a feed must equal is computed from here.
 */
export class World {
  readonly users = new Set<bigint>();
  readonly postRows: Database<PostRows>;
  readonly followRows: Database<FollowRows>;
  /** "user post". */
  readonly likes = new Set<string>();
  /** Events that no consumer has applied yet. */
  readonly pending: ReceivedEvent[] = [];
  /** All events there ever were. */
  readonly log: ReceivedEvent[] = [];
  /** All posts there ever were. */
  readonly everPosted: { readonly postId: bigint; readonly authorId: bigint }[] = [];
  readonly #deletions = new Map<bigint, Written>();
  readonly #edits = new Map<bigint, (Written & { readonly versionId: bigint })[]>();
  /** The edges that were and are no more, by their ends. */
  readonly #ended = new Map<string, (Written & { readonly followId: bigint })[]>();
  readonly #standings = new Map<bigint, Standing>();
  readonly #thresholds: { readonly up: number; readonly down: number };
  readonly #clock: TestClock | undefined;
  #lastId: bigint;

  /** From `up` followers on, an author is on the way to celebrity, and below `down` on the way back. */
  constructor(userIds: readonly bigint[], up: number, down: number = up, { clock }: WorldOptions = {}) {
    for (const userId of userIds) this.users.add(userId);
    this.#thresholds = { up, down };
    this.#clock = clock;
    // Neighbours that a double cannot tell apart. An id is never given out again, also when a process outlives its world.
    this.#lastId = clock === undefined ? 2n ** 62n + worlds++ * 1_000_000n : 0n;
    const nowMs = (): number => clock?.nowMs() ?? 0;
    this.postRows = createDatabase({
      service: "post",
      empty: () => ({ posts: new Map(), versions: new Map() }),
      nowMs,
    });
    this.followRows = createDatabase({ service: "follow", empty: () => ({ edges: new Map() }), nowMs });
  }

  /** The author of each post. */
  get posts(): ReadonlyMap<bigint, bigint> {
    return this.postRows.primary.posts;
  }

  /** The newest version of each post that was edited. */
  get versions(): ReadonlyMap<bigint, bigint> {
    return this.postRows.primary.versions;
  }

  nextId(): bigint {
    const first = this.#clock === undefined ? 0n : firstIdAt(this.#clock.unixMs());
    this.#lastId = this.#lastId < first ? first : this.#lastId + 1n;
    return this.#lastId;
  }

  /** The id may be older than others that were written before it. */
  post(authorId: bigint, postId: bigint = this.nextId()): bigint {
    if (!this.users.has(authorId)) return postId;
    this.postRows.write(({ posts }) => posts.set(postId, authorId));
    this.everPosted.push({ postId, authorId });
    this.#emit(topics.posts, authorId, { case: "postCreated", value: { postId, authorId } });
    return postId;
  }

  /** What a post says is its version: its id until it is edited. */
  editPost(postId: bigint): bigint {
    const versionId = this.nextId();
    const at = this.postRows.write(({ versions }) => versions.set(postId, versionId));
    this.#edits.set(postId, [...(this.#edits.get(postId) ?? []), { at, versionId }]);
    return versionId;
  }

  deletePost(postId: bigint): void {
    const authorId = this.posts.get(postId);
    if (authorId === undefined) return;
    const at = this.postRows.write(({ posts }) => posts.delete(postId));
    this.#deletions.set(postId, { at });
    this.#emit(topics.posts, authorId, { case: "postDeleted", value: { postId, authorId } });
  }

  /** The version of a post after the first so many writes of its service, or a newer one of that time. */
  versionOf(postId: bigint, writes: number): bigint {
    const edits = this.#edits.get(postId) ?? [];
    return edits.findLast(({ at }) => at <= writes)?.versionId ?? postId;
  }

  /** Whether a post was gone after the first so many writes of its service. */
  wasDeleted(postId: bigint, writes: number): boolean {
    const deletion = this.#deletions.get(postId);
    return deletion !== undefined && deletion.at <= writes;
  }

  /** The edge that there is. */
  followId(followerId: bigint, followeeId: bigint): bigint | undefined {
    return this.#edges.get(`${followerId}>${followeeId}`)?.followId;
  }

  /** The edges that were and are no more, and after how many writes of their service. */
  ended(followerId: bigint, followeeId: bigint): readonly { at: number; followId: bigint }[] {
    return this.#ended.get(`${followerId}>${followeeId}`) ?? [];
  }

  /** Whether something of a deleted account is left. */
  hasTraces(userId: bigint): boolean {
    const isAuthor = [...this.posts.values()].includes(userId);
    return isAuthor || this.followees(userId).length > 0 || this.followers(userId).length > 0;
  }

  follow(followerId: bigint, followeeId: bigint): void {
    const key = `${followerId}>${followeeId}`;
    if (followerId === followeeId || this.#edges.has(key)) return;
    if (!this.users.has(followerId) || !this.users.has(followeeId)) return;
    const edge = { followerId, followeeId, followId: this.nextId() };
    this.followRows.write(({ edges }) => edges.set(key, edge));
    this.#emit(topics.follows, followerId, { case: "followCreated", value: edge });
    this.#restate(followeeId);
  }

  unfollow(followerId: bigint, followeeId: bigint): void {
    const key = `${followerId}>${followeeId}`;
    const edge = this.#edges.get(key);
    if (edge === undefined) return;
    const at = this.followRows.write(({ edges }) => edges.delete(key));
    this.#ended.set(key, [...this.ended(followerId, followeeId), { at, followId: edge.followId }]);
    this.#emit(topics.follows, followerId, { case: "followDeleted", value: edge });
    this.#restate(followeeId);
  }

  /** The account goes. What it wrote and whom it followed goes when the other services hear of it: `erase`. */
  deleteUser(userId: bigint): void {
    this.users.delete(userId);
  }

  /** What the other services do when they hear that an account was deleted. */
  erase(userId: bigint): void {
    for (const [postId, authorId] of this.posts) if (authorId === userId) this.deletePost(postId);
    for (const followeeId of this.followees(userId)) this.unfollow(userId, followeeId);
    for (const followerId of this.followers(userId)) this.unfollow(followerId, userId);
  }

  advance(userId: bigint, epoch: bigint): CelebrityState {
    const standing = this.#standing(userId);
    const next = new Map<CelebrityState, CelebrityState>([
      [CelebrityState.RISING, CelebrityState.CELEBRITY],
      [CelebrityState.FALLING, CelebrityState.NORMAL],
    ]).get(standing.state);
    if (standing.epoch === epoch && next !== undefined) this.#move(userId, standing, next);
    return standing.state;
  }

  /** Authors who are not normal, and a number that grows with each change of a state. */
  celebrities(): { version: bigint; authorIds: bigint[] } {
    const standings = [...this.#standings];
    return {
      version: standings.reduce((sum, [, { epoch }]) => sum + epoch, 0n),
      authorIds: standings.flatMap(([id, { state }]) => (state === CelebrityState.NORMAL ? [] : [id])),
    };
  }

  stateOf(userId: bigint): CelebrityState {
    return this.#standing(userId).state;
  }

  /** `from` is what is read: the primary's rows, or a replica's. */
  followees(userId: bigint, from: FollowRows = this.followRows.primary): bigint[] {
    return idsOf(from, (edge) => (edge.followerId === userId ? edge.followeeId : undefined));
  }

  followers(userId: bigint): bigint[] {
    return idsOf(this.followRows.primary, (edge) =>
      edge.followeeId === userId ? edge.followerId : undefined,
    );
  }

  /** Newest first. */
  postsOf(
    authorIds: readonly bigint[],
    before: bigint,
    from: PostRows = this.postRows.primary,
  ): { id: bigint; authorId: bigint }[] {
    return [...from.posts]
      .filter(([id, authorId]) => id < before && authorIds.includes(authorId))
      .sort(([a], [b]) => (a < b ? 1 : -1))
      .map(([id, authorId]) => ({ id, authorId }));
  }

  /** The oracle: graph × posts, sorted. */
  feedOf(readerId: bigint): bigint[] {
    const authorIds = [...this.followees(readerId), readerId].filter((authorId) => this.users.has(authorId));
    return this.postsOf(authorIds, 2n ** 63n).map(({ id }) => id);
  }

  get #edges(): ReadonlyMap<string, Edge> {
    return this.followRows.primary.edges;
  }

  #standing(userId: bigint): Standing {
    const standing = this.#standings.get(userId) ?? { state: CelebrityState.NORMAL, epoch: 0n };
    this.#standings.set(userId, standing);
    return standing;
  }

  #restate(userId: bigint): void {
    const standing = this.#standing(userId);
    const above = standing.state === CelebrityState.RISING || standing.state === CelebrityState.CELEBRITY;
    const followers = this.followers(userId).length;
    if (!above && followers >= this.#thresholds.up) this.#move(userId, standing, CelebrityState.RISING);
    if (above && followers < this.#thresholds.down) this.#move(userId, standing, CelebrityState.FALLING);
  }

  #move(userId: bigint, standing: Standing, state: CelebrityState): void {
    standing.state = state;
    standing.epoch++;
    this.#emit(topics.celebrities, userId, { case: "celebrityStateChanged", value: { userId, ...standing } });
  }

  #emit(topic: Topic, key: bigint, payload: Payload): void {
    const event = create(EventSchema, { eventId: this.nextId(), schemaVersion: 1, payload });
    const received = { topic, partition: 0, position: `${this.log.length}`, key: `${key}`, event };
    this.pending.push(received);
    this.log.push(received);
  }
}

/** In ascending order. */
function idsOf({ edges }: FollowRows, pick: (edge: Edge) => bigint | undefined): bigint[] {
  const ids: bigint[] = [];
  for (const edge of edges.values()) {
    const id = pick(edge);
    if (id !== undefined) ids.push(id);
  }
  return ids.sort((a, b) => (a < b ? -1 : 1));
}
