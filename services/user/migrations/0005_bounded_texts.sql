-- The same bounds as in domain/, in case a row is written by something else. char_length counts code points.
-- A username's second form, in which names that look alike are equal; see domain/username.ts. Of names that
-- were taken before and look alike, the oldest has it.
ALTER TABLE accounts ADD COLUMN username_skeleton text;

UPDATE accounts SET username_skeleton = first.skeleton
FROM (
  SELECT DISTINCT ON (skeleton) id, skeleton
  FROM (
    SELECT id, replace(lower(translate(username, 'I10', 'llo') COLLATE "C"), 'm', 'rn') AS skeleton
    FROM accounts WHERE username IS NOT NULL
  ) named
  ORDER BY skeleton, id
) first
WHERE accounts.id = first.id;

CREATE UNIQUE INDEX accounts_username_skeleton_key ON accounts (username_skeleton);

ALTER TABLE accounts
  ADD CONSTRAINT accounts_username_bounded CHECK (username ~ '^[A-Za-z0-9_]{3,30}$'),
  ADD CONSTRAINT accounts_skeleton_bounded CHECK (username_skeleton ~ '^[a-z0-9_]{3,60}$'),
  ADD CONSTRAINT accounts_skeleton_of_a_username CHECK (username IS NOT NULL OR username_skeleton IS NULL),
  ADD CONSTRAINT accounts_email_bounded CHECK (char_length(email) BETWEEN 3 AND 254),
  ADD CONSTRAINT accounts_display_name_bounded CHECK (char_length(display_name) <= 50),
  ADD CONSTRAINT accounts_bio_bounded CHECK (char_length(bio) <= 160);

ALTER TABLE credentials
  ADD CONSTRAINT credentials_hash_is_argon2id
  CHECK (password_hash ~ '^\$argon2id\$' AND char_length(password_hash) <= 200);

ALTER TABLE sessions
  ADD CONSTRAINT sessions_user_agent_bounded CHECK (char_length(user_agent) <= 200),
  ADD CONSTRAINT sessions_address_bounded CHECK (char_length(address) <= 200),
  ADD CONSTRAINT sessions_end_reason_bounded CHECK (char_length(end_reason) <= 40),
  ADD CONSTRAINT sessions_hashes_are_sha256
  CHECK (octet_length(token_hash) = 32 AND octet_length(previous_token_hash) = 32);

ALTER TABLE refresh_tokens
  ADD CONSTRAINT refresh_tokens_hash_is_sha256 CHECK (octet_length(token_hash) = 32);

ALTER TABLE signing_keys
  ADD CONSTRAINT signing_keys_kid_bounded CHECK (char_length(kid) BETWEEN 1 AND 100),
  ADD CONSTRAINT signing_keys_sealed_bounded CHECK (octet_length(sealed_private_key) BETWEEN 29 AND 1000);
