-- How often a secret was guessed wrong, by a keyed hash of what it was tried on: a login may be an e-mail address,
-- or a password typed into the wrong field. Unlogged: after a crash the counts begin anew, which costs a
-- guesser's delays and spares every sign-in a wait for the disk.
CREATE UNLOGGED TABLE attempts (
  key bytea PRIMARY KEY CHECK (octet_length(key) = 16),
  count integer NOT NULL,
  not_before timestamptz NOT NULL,
  forget_at timestamptz NOT NULL
);

CREATE INDEX attempts_forget_at ON attempts (forget_at);

-- Where an account was signed in from, by a keyed hash of the address: from there its owner is not slowed by
-- what others try from elsewhere.
CREATE TABLE known_addresses (
  user_id bigint NOT NULL REFERENCES accounts (id),
  address_key bytea NOT NULL CHECK (octet_length(address_key) = 16),
  last_at timestamptz NOT NULL,
  PRIMARY KEY (user_id, address_key)
);

CREATE INDEX known_addresses_last_at ON known_addresses (last_at);
