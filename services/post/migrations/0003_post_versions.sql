-- The version that a post has since its last edit, a Snowflake; null when it was never edited.
alter table posts add column edit_id bigint;

-- What posts said before they were edited. The first version has its post's id.
create table post_versions (
  post_id bigint not null references posts on delete cascade,
  id bigint not null,
  content text not null,
  primary key (post_id, id)
);
