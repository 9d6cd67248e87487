import { Status } from "@chirrup/grpc";

/** What a user does; `target` is a post or, to delete one, a comment, that is or once was there. */
export type Action =
  | { readonly does: "post"; readonly userId: bigint; readonly content: string }
  | { readonly does: "leave"; readonly userId: bigint }
  | { readonly does: "edit"; readonly userId: bigint; readonly target: bigint; readonly content: string }
  | {
      readonly does: "comment" | "like" | "unlike" | "deletePost" | "deleteComment";
      readonly userId: bigint;
      readonly target: bigint;
    };

/** All that can be read. Lists are newest first. */
export interface View {
  readonly posts: {
    readonly id: bigint;
    readonly authorId: bigint;
    readonly content: string;
    /** What it said before each edit, newest first. */
    readonly earlier: readonly string[];
    readonly likeCount: number;
    readonly commentCount: number;
    /** By the viewer. */
    readonly liked: boolean;
    readonly likedBy: readonly bigint[];
    readonly comments: readonly { readonly id: bigint; readonly authorId: bigint }[];
  }[];
}

/** Posts, comments and likes as the simplest program would keep them: three lists, oldest first. */
export interface Model {
  /** Every id that a post or a comment ever had. */
  readonly postIds: bigint[];
  readonly commentIds: bigint[];
  /** What the action must end with; `newId` is the id that the service gave to what it made. */
  apply(action: Action, newId: bigint): Status;
  view(viewerId: bigint): View;
}

export function createModel(): Model {
  let posts: { id: bigint; authorId: bigint; content: string; earlier: string[] }[] = [];
  let comments: { id: bigint; postId: bigint; authorId: bigint }[] = [];
  let likes: { postId: bigint; userId: bigint }[] = [];
  const gone = new Set<bigint>();
  const postIds: bigint[] = [];
  const commentIds: bigint[] = [];

  function apply(action: Action, newId: bigint): Status {
    const { does, userId } = action;
    if (does === "leave") return leave(userId);
    const adds = does === "post" || does === "comment" || does === "like";
    if (adds && gone.has(userId)) return Status.UNAUTHENTICATED;
    if (does === "post") {
      posts.push({ id: newId, authorId: userId, content: action.content, earlier: [] });
      postIds.push(newId);
      return Status.OK;
    }
    const { target } = action;
    if (does === "edit")
      return edit(
        posts.find(({ id }) => id === target),
        action,
      );
    const list = does === "deleteComment" ? comments : posts;
    const found = list.find(({ id }) => id === target);
    if (found === undefined) return Status.NOT_FOUND;
    const isLike = (like: { postId: bigint; userId: bigint }): boolean =>
      like.postId === target && like.userId === userId;
    switch (does) {
      case "comment":
        comments.push({ id: newId, postId: target, authorId: userId });
        commentIds.push(newId);
        return Status.OK;
      case "like":
        if (!likes.some(isLike)) likes.push({ postId: target, userId });
        return Status.OK;
      case "unlike":
        likes = likes.filter((like) => !isLike(like));
        return Status.OK;
      case "deleteComment":
        if (found.authorId !== userId) return Status.PERMISSION_DENIED;
        comments = comments.filter(({ id }) => id !== target);
        return Status.OK;
      case "deletePost":
        if (found.authorId !== userId) return Status.PERMISSION_DENIED;
        posts = posts.filter(({ id }) => id !== target);
        comments = comments.filter(({ postId }) => postId !== target);
        likes = likes.filter(({ postId }) => postId !== target);
        return Status.OK;
    }
  }

  /** The account is deleted, and all that it wrote. */
  function leave(userId: bigint): Status {
    gone.add(userId);
    const left = new Set(posts.filter(({ authorId }) => authorId === userId).map(({ id }) => id));
    posts = posts.filter(({ id }) => !left.has(id));
    comments = comments.filter(({ postId, authorId }) => authorId !== userId && !left.has(postId));
    likes = likes.filter((like) => like.userId !== userId && !left.has(like.postId));
    return Status.OK;
  }

  function edit(
    post: (typeof posts)[number] | undefined,
    { userId, content }: { readonly userId: bigint; readonly content: string },
  ): Status {
    if (post === undefined) return Status.NOT_FOUND;
    if (post.authorId !== userId) return Status.PERMISSION_DENIED;
    if (post.content !== content) {
      post.earlier.unshift(post.content);
      post.content = content;
    }
    return Status.OK;
  }

  function view(viewerId: bigint): View {
    return {
      posts: posts.toReversed().map((post) => {
        const ofPost = comments.filter(({ postId }) => postId === post.id).toReversed();
        const likedBy = likes.filter(({ postId }) => postId === post.id).map(({ userId }) => userId);
        return {
          ...post,
          likeCount: likedBy.length,
          commentCount: ofPost.length,
          liked: likedBy.includes(viewerId),
          likedBy: likedBy.toReversed(),
          comments: ofPost.map(({ id, authorId }) => ({ id, authorId })),
        };
      }),
    };
  }

  return { postIds, commentIds, apply, view };
}
