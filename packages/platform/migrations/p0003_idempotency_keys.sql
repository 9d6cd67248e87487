-- Answers to writes that carried an Idempotency-Key, kept 24 hours, written in the write's own transaction.
create table idempotency_keys (
  caller_id bigint not null,
  key text not null,
  method text not null,
  -- SHA-256 of the request.
  request_hash bytea not null,
  -- Null only inside the transaction that does the work.
  response bytea,
  created_at timestamptz not null default now(),
  primary key (caller_id, key, method)
);

create index idempotency_keys_created_at on idempotency_keys (created_at);
