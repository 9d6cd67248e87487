-- Posts, and what hangs on them. A row's time is its id's millisecond (Snowflake ids), so no table has a
-- time column, and every list is a walk down an index by id.

create table posts (
  id bigint primary key,
  author_id bigint not null,
  content text not null
);

-- A user's posts, and the probes of ListByAuthors: both answered from the index alone.
create unique index posts_by_author on posts (author_id, id);

create table comments (
  id bigint primary key,
  post_id bigint not null references posts on delete cascade,
  author_id bigint not null,
  content text not null
);

create unique index comments_by_post on comments (post_id, id);

-- The primary key makes liking twice once, and answers "which of these does the caller like".
create table likes (
  post_id bigint not null references posts on delete cascade,
  user_id bigint not null,
  id bigint not null,
  primary key (post_id, user_id)
);

create unique index likes_by_post on likes (post_id, id) include (user_id);

-- How many likes and comments a post has: the sum over its shards, of which it has none to eight. One row
-- of a viral post would make all who like it wait in one line. A shard alone means nothing and may be
-- below zero: a like and its removal need not meet the same one.
-- Each shard is updated in place most of the time (HOT), for which its page keeps room.
create table post_counts (
  post_id bigint not null references posts on delete cascade,
  shard smallint not null,
  likes bigint not null,
  comments bigint not null,
  primary key (post_id, shard)
) with (fillfactor = 70);
