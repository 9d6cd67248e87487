-- What the code bounds before it writes, in case something else writes. NOT VALID holds new rows at once and reads no old
-- one under the lock; the next file reads them.
alter table outbox
  add constraint outbox_topic_bounded check (char_length(topic) between 1 and 100) not valid,
  add constraint outbox_key_bounded check (char_length(key) between 1 and 100) not valid,
  -- Events hold ids and no content.
  add constraint outbox_payload_bounded check (octet_length(payload) <= 65536) not valid;

alter table id_nodes add constraint id_nodes_holder_bounded check (char_length(holder) <= 400) not valid;

alter table idempotency_keys
  add constraint idempotency_keys_key_bounded check (char_length(key) between 1 and 128) not valid,
  add constraint idempotency_keys_method_bounded check (char_length(method) between 1 and 200) not valid,
  add constraint idempotency_keys_hash_is_sha256 check (octet_length(request_hash) = 32) not valid,
  -- The largest message that the transport carries.
  add constraint idempotency_keys_response_bounded check (octet_length(response) <= 4194304) not valid;
