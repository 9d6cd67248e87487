CREATE TABLE second_factors (
  user_id bigint PRIMARY KEY REFERENCES accounts (id),
  -- The shared secret of RFC 6238, sealed; see domain/sealing.ts.
  sealed_secret bytea NOT NULL CHECK (octet_length(sealed_secret) BETWEEN 29 AND 200),
  -- Null until its owner has shown a code of it: only then it is asked for.
  confirmed_at timestamptz,
  -- The latest time step whose code was taken: none is taken twice.
  last_step bigint NOT NULL DEFAULT 0
);

CREATE TABLE recovery_codes (
  user_id bigint NOT NULL REFERENCES second_factors (user_id) ON DELETE CASCADE,
  -- SHA-256: a code has 120 random bits.
  code_hash bytea NOT NULL CHECK (octet_length(code_hash) = 32),
  PRIMARY KEY (user_id, code_hash)
);

-- A sign-in whose password was right and whose second factor is awaited.
CREATE TABLE sign_in_challenges (
  token_hash bytea PRIMARY KEY CHECK (octet_length(token_hash) = 32),
  user_id bigint NOT NULL REFERENCES accounts (id),
  -- Of the credential whose password was right; another password ends the challenge.
  version integer NOT NULL,
  expires_at timestamptz NOT NULL
);

CREATE INDEX sign_in_challenges_of_user ON sign_in_challenges (user_id);
CREATE INDEX sign_in_challenges_expires_at ON sign_in_challenges (expires_at);

-- When the second factor was last shown in this session.
ALTER TABLE sessions ADD COLUMN second_factor_at timestamptz;
