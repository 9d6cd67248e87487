-- A deleted account keeps its row, emptied, so that its id is never taken for an unknown one by a
-- late writer; the username and the e-mail are free again.
CREATE TABLE accounts (
  id bigint PRIMARY KEY,
  username text,
  -- The normal form that is compared and that mail is sent to; see domain/email.ts.
  email text,
  display_name text NOT NULL,
  bio text NOT NULL DEFAULT '',
  deleted_at timestamptz,
  CONSTRAINT accounts_scrubbed_when_deleted CHECK (
    CASE
      WHEN deleted_at IS NULL THEN username IS NOT NULL AND email IS NOT NULL
      ELSE username IS NULL AND email IS NULL AND display_name = '' AND bio = ''
    END
  )
);

CREATE UNIQUE INDEX accounts_username_key ON accounts (lower(username COLLATE "C"));
CREATE UNIQUE INDEX accounts_email_key ON accounts (email);

-- Apart from accounts, so that no read of a profile touches a hash.
CREATE TABLE credentials (
  user_id bigint PRIMARY KEY REFERENCES accounts (id),
  -- argon2id in PHC form.
  password_hash text NOT NULL,
  -- Grows with each change of the password, not with a rehash of the same one: a sign-in that verified
  -- version n opens no session once n + 1 is there.
  version integer NOT NULL DEFAULT 1
);
