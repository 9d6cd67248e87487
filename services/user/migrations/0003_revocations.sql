-- Why a counter row and not a sequence: a sequence hands out numbers in call order, transactions become
-- visible in commit order, and a reader that has seen 8 would never look back for a late 7. The row's
-- lock is held until commit, so revision n + 1 is not even assigned before n is visible.
CREATE TABLE revocation_counter (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  revision bigint NOT NULL
);

INSERT INTO revocation_counter (revision) VALUES (0);

CREATE TABLE revocations (
  revision bigint PRIMARY KEY,
  session_id bigint NOT NULL,
  -- After this no access token of the session can be unexpired.
  forget_at timestamptz NOT NULL
);

CREATE INDEX revocations_forget_at ON revocations (forget_at);
