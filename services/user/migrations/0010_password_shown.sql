-- When the password was last shown in this session: at its sign-in, and when it is asked for again before what is
-- dangerous. Null, as in sessions of before, asks for it.
ALTER TABLE sessions ADD COLUMN password_at timestamptz;
