-- A handful of rows: they are read under the lock.
ALTER TABLE signing_keys
  ADD CONSTRAINT signing_keys_jwk_bounded CHECK (octet_length(public_jwk::text) <= 1000);
