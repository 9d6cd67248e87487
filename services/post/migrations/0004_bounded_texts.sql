-- The same bounds as in domain/content.ts, in case a row is written by something else. char_length counts code points.
-- NOT VALID holds new rows at once and reads no old one under the lock; the next file reads them.
alter table posts
  add constraint posts_content_bounded check (char_length(content) between 1 and 5000) not valid;
alter table post_versions
  add constraint post_versions_content_bounded check (char_length(content) between 1 and 5000) not valid;
alter table comments
  add constraint comments_content_bounded check (char_length(content) between 1 and 5000) not valid;
