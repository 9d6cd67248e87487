alter table outbox
  validate constraint outbox_topic_bounded,
  validate constraint outbox_key_bounded,
  validate constraint outbox_payload_bounded;

alter table id_nodes validate constraint id_nodes_holder_bounded;

alter table idempotency_keys
  validate constraint idempotency_keys_key_bounded,
  validate constraint idempotency_keys_method_bounded,
  validate constraint idempotency_keys_hash_is_sha256,
  validate constraint idempotency_keys_response_bounded;
