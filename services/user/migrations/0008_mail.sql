ALTER TABLE accounts
  -- When the present address was proved by a token that was mailed to it.
  ADD COLUMN email_verified_at timestamptz,
  ADD CONSTRAINT accounts_verified_has_email CHECK (email IS NOT NULL OR email_verified_at IS NULL);

-- What is to be mailed. A password reset is queued by its address alone, whether or not there is such an account, so
-- that who asks learns nothing from the answer or its time. No token is in here: it is made when the mail is.
CREATE TABLE mail_queue (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind text NOT NULL CHECK (char_length(kind) BETWEEN 1 AND 40),
  email text NOT NULL CHECK (char_length(email) BETWEEN 3 AND 254),
  user_id bigint,
  created_at timestamptz NOT NULL,
  -- Taken by a process, or put off, until then.
  not_before timestamptz NOT NULL,
  failures integer NOT NULL DEFAULT 0
);

-- However often it is asked for, it is mailed once; and a verification of one address by two accounts to each.
CREATE UNIQUE INDEX mail_queue_once ON mail_queue (kind, email, COALESCE(user_id, 0));
CREATE INDEX mail_queue_due ON mail_queue (not_before);

CREATE TABLE mail_tokens (
  -- SHA-256; the token is in the mail and nowhere else.
  token_hash bytea PRIMARY KEY CHECK (octet_length(token_hash) = 32),
  kind text NOT NULL CHECK (kind IN ('verify_email', 'reset_password')),
  user_id bigint NOT NULL REFERENCES accounts (id),
  -- Where it was mailed to, and so what it proves.
  email text NOT NULL CHECK (char_length(email) BETWEEN 3 AND 254),
  expires_at timestamptz NOT NULL
);

CREATE INDEX mail_tokens_of_user ON mail_tokens (user_id, kind);
CREATE INDEX mail_tokens_expires_at ON mail_tokens (expires_at);
