-- Changes of numbers of followers that are not yet in follow_counts, one row for each edge made or removed. A
-- job folds them in; a number of followers is the folded one and the sum of these. So follows of one author
-- have no row in common and wait for nobody.
create table follower_deltas (
  followee_id bigint not null,
  delta bigint not null
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

create index follower_deltas_followee on follower_deltas (followee_id);

-- A removal may be folded in before the edge's making, when they are more than one fold takes.
alter table follow_counts drop constraint follow_counts_followers;
