import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { EventSchema } from "@chirrup/proto/chirrup/events/v1/event";
import { CelebrityState } from "@chirrup/proto/chirrup/follow/v1/follow_service";
import { type ReceivedEvent, type Topic, topics } from "@chirrup/platform";

type Payload = NonNullable<MessageInitShape<typeof EventSchema>["payload"]>;

interface Standing {
  state: CelebrityState;
  epoch: bigint;
}

let worlds = 0n;

/**
 * What the other services hold: users, posts, follows and celebrity states, with the event of each write.
 * Everything that a feed must equal is computed from here.
 */
export class World {
  readonly users = new Set<bigint>();
  readonly posts = new Map<bigint, bigint>();
  readonly versions = new Map<bigint, bigint>();
  /** "user post". */
  readonly likes = new Set<string>();
  /** Events that no consumer has applied yet. */
  readonly pending: ReceivedEvent[] = [];
  /** All events there ever were. */
  readonly log: ReceivedEvent[] = [];
  readonly #edges = new Map<string, { followerId: bigint; followeeId: bigint; followId: bigint }>();
  readonly #standings = new Map<bigint, Standing>();
  readonly #thresholds: { readonly up: number; readonly down: number };
  // Neighbours that a double cannot tell apart. An id is never given out again, also when a process outlives its world.
  #lastId = 2n ** 62n + worlds++ * 1_000_000n;

  /** From `up` followers on, an author is on the way to celebrity, and below `down` on the way back. */
  constructor(userIds: readonly bigint[], up: number, down: number = up) {
    for (const userId of userIds) this.users.add(userId);
    this.#thresholds = { up, down };
  }

  nextId(): bigint {
    return ++this.#lastId;
  }

  /** The id may be older than others that were written before it. */
  post(authorId: bigint, postId: bigint = this.nextId()): bigint {
    if (!this.users.has(authorId)) return postId;
    this.posts.set(postId, authorId);
    this.#emit(topics.posts, authorId, { case: "postCreated", value: { postId, authorId } });
    return postId;
  }

  /** What a post says is its version: its id until it is edited. */
  editPost(postId: bigint): bigint {
    const versionId = this.nextId();
    this.versions.set(postId, versionId);
    return versionId;
  }

  deletePost(postId: bigint): void {
    const authorId = this.posts.get(postId);
    if (authorId === undefined) return;
    this.posts.delete(postId);
    this.#emit(topics.posts, authorId, { case: "postDeleted", value: { postId, authorId } });
  }

  /** The edge that there is. */
  followId(followerId: bigint, followeeId: bigint): bigint | undefined {
    return this.#edges.get(`${followerId}>${followeeId}`)?.followId;
  }

  /** The edges that were and are no more. */
  formerFollowIds(followerId: bigint, followeeId: bigint): bigint[] {
    return this.log.flatMap(({ event: { payload } }) => {
      if (payload.case !== "followDeleted") return [];
      const { followId, followerId: from, followeeId: to } = payload.value;
      return from === followerId && to === followeeId ? [followId] : [];
    });
  }

  /** All posts there ever were. */
  everPosted(): { postId: bigint; authorId: bigint }[] {
    return this.log.flatMap(({ event: { payload } }) =>
      payload.case === "postCreated" ? [payload.value] : [],
    );
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
    this.#edges.set(key, edge);
    this.#emit(topics.follows, followerId, { case: "followCreated", value: edge });
    this.#restate(followeeId);
  }

  unfollow(followerId: bigint, followeeId: bigint): void {
    const edge = this.#edges.get(`${followerId}>${followeeId}`);
    if (edge === undefined) return;
    this.#edges.delete(`${followerId}>${followeeId}`);
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

  followees(userId: bigint): bigint[] {
    return ends(
      [...this.#edges.values()].filter((edge) => edge.followerId === userId),
      "followeeId",
    );
  }

  followers(userId: bigint): bigint[] {
    return ends(
      [...this.#edges.values()].filter((edge) => edge.followeeId === userId),
      "followerId",
    );
  }

  /** Newest first. */
  postsOf(authorIds: readonly bigint[], before: bigint): { id: bigint; authorId: bigint }[] {
    return [...this.posts]
      .filter(([id, authorId]) => authorIds.includes(authorId) && id < before)
      .sort(([a], [b]) => (a < b ? 1 : -1))
      .map(([id, authorId]) => ({ id, authorId }));
  }

  /** The oracle: graph × posts, sorted. */
  feedOf(readerId: bigint): bigint[] {
    const authorIds = [...this.followees(readerId), readerId].filter((authorId) => this.users.has(authorId));
    return this.postsOf(authorIds, 2n ** 63n).map(({ id }) => id);
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

function ends(
  edges: readonly { followerId: bigint; followeeId: bigint }[],
  end: "followerId" | "followeeId",
): bigint[] {
  return edges.map((edge) => edge[end]).sort((a, b) => (a < b ? -1 : 1));
}
