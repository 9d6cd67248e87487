import type { Context, PostHandlers } from "./context.ts";
import { batchGetPosts } from "./handlers/batch-get-posts.ts";
import { createComment } from "./handlers/create-comment.ts";
import { createPost } from "./handlers/create-post.ts";
import { deleteComment } from "./handlers/delete-comment.ts";
import { deletePost } from "./handlers/delete-post.ts";
import { getPost } from "./handlers/get-post.ts";
import { likePost } from "./handlers/like-post.ts";
import { listByAuthors } from "./handlers/list-by-authors.ts";
import { listComments } from "./handlers/list-comments.ts";
import { listLikes } from "./handlers/list-likes.ts";
import { listPostHistory } from "./handlers/list-post-history.ts";
import { listUserPosts } from "./handlers/list-user-posts.ts";
import { unlikePost } from "./handlers/unlike-post.ts";
import { updatePost } from "./handlers/update-post.ts";
import { viewPosts } from "./handlers/view-posts.ts";

/** The handler of every rpc of PostService. */
export function createHandlers(context: Context): PostHandlers {
  return {
    createPost: createPost(context),
    getPost: getPost(context),
    batchGetPosts: batchGetPosts(context),
    updatePost: updatePost(context),
    listPostHistory: listPostHistory(context),
    deletePost: deletePost(context),
    listUserPosts: listUserPosts(context),
    createComment: createComment(context),
    listComments: listComments(context),
    deleteComment: deleteComment(context),
    likePost: likePost(context),
    unlikePost: unlikePost(context),
    listLikes: listLikes(context),
    listByAuthors: listByAuthors(context),
    viewPosts: viewPosts(context),
  };
}
