-- The follow graph: one row for each edge.
create table follows (
  follower_id bigint not null,
  followee_id bigint not null,
  -- A Snowflake: its milliseconds are when the follow was made, so id order is time order.
  id bigint not null,
  constraint follows_pkey primary key (follower_id, followee_id),
  constraint follows_not_oneself check (follower_id <> followee_id)
);

-- A fan-out walks an author's followers by keyset.
create unique index follows_followee_follower on follows (followee_id, follower_id);

-- The lists, newest first. They carry the other end, so that a page is one stretch of an index and not
-- a heap page for each edge.
create index follows_following on follows (follower_id, id desc) include (followee_id);
create index follows_followers on follows (followee_id, id desc) include (follower_id);
