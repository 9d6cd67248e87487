-- Who did what to an account, for whoever investigates. No password, token, code, login or hash of one.
CREATE TABLE security_events (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL,
  kind text NOT NULL CHECK (char_length(kind) BETWEEN 1 AND 40),
  -- Something was refused. Strangers can make any number of these, so they have a bound of their own.
  refused boolean NOT NULL,
  user_id bigint,
  session_id bigint,
  address text NOT NULL CHECK (char_length(address) <= 200),
  user_agent text NOT NULL CHECK (char_length(user_agent) <= 200)
);

CREATE INDEX security_events_at ON security_events (at);
CREATE INDEX security_events_of_user ON security_events (user_id, id);
CREATE INDEX security_events_refused ON security_events (id) WHERE refused;
