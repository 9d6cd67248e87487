-- Accounts that are no more. Writes by them are refused, so that a request that was under way when the account
-- was deleted, or an event that comes again, leaves nothing behind. Ids are never given twice.
create table deleted_accounts (
  user_id bigint primary key
);

-- A deleted account's likes and comments are found by who made them. The likes' primary key serves both that
-- and "which of these does the caller like"; a post's likes are found by likes_by_post.
alter table likes drop constraint likes_pkey, add primary key (user_id, post_id);
create index comments_by_author on comments (author_id, id);
