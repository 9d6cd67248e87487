CREATE TABLE signing_keys (
  -- RFC 7638 thumbprint of the public key.
  kid text PRIMARY KEY,
  public_jwk jsonb NOT NULL,
  -- PKCS #8, sealed; see domain/signing-key.ts.
  sealed_private_key bytea NOT NULL,
  created_at timestamptz NOT NULL
);
