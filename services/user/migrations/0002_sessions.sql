-- One row is one sign-in: the family of all refresh tokens derived from it.
CREATE TABLE sessions (
  id bigint PRIMARY KEY,
  user_id bigint NOT NULL REFERENCES accounts (id),
  user_agent text NOT NULL,
  address text NOT NULL,
  -- SHA-256 of the token that refreshes next, and of the one it replaced.
  token_hash bytea NOT NULL,
  previous_token_hash bytea,
  rotated_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  ended_at timestamptz,
  end_reason text,
  CONSTRAINT sessions_ended_for_a_reason CHECK ((ended_at IS NULL) = (end_reason IS NULL))
);

CREATE INDEX sessions_of_user ON sessions (user_id, id DESC);
CREATE INDEX sessions_over ON sessions (LEAST(ended_at, expires_at));

-- Every token that a session ever had, so that a replay of an old one is told from a guess.
CREATE TABLE refresh_tokens (
  token_hash bytea PRIMARY KEY,
  session_id bigint NOT NULL REFERENCES sessions (id) ON DELETE CASCADE
);

CREATE INDEX refresh_tokens_of_session ON refresh_tokens (session_id);
