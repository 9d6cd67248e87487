alter table posts validate constraint posts_content_bounded;
alter table post_versions validate constraint post_versions_content_bounded;
alter table comments validate constraint comments_content_bounded;
