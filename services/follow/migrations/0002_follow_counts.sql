-- How many edges a user has, kept in the transaction that changes an edge. No row means none.
--
-- A hot row is updated many times a second. No index holds a count and each page keeps room, so that an
-- update stays within its page (HOT) and leaves the indexes alone.
create table follow_counts (
  user_id bigint constraint follow_counts_pkey primary key,
  followers bigint not null default 0 constraint follow_counts_followers check (followers >= 0),
  following bigint not null default 0 constraint follow_counts_following check (following >= 0)
) with (fillfactor = 70);
