-- Events to be published, written in the transaction that caused them and read by logical decoding.
--
-- Partitioned by time so that expiry drops a table instead of deleting rows: no bloat, no vacuum, and
-- nothing in the write-ahead log beyond the catalog's rows. The primary key is the only index.
create table outbox (
  id bigint not null,
  created_at timestamptz not null default now(),
  topic text not null,
  key text not null,
  payload bytea not null,
  primary key (created_at, id)
) partition by range (created_at);

-- Makes the six-hour partitions that hold now to now + ahead, those that are missing; returns their names.
--
-- ATTACH takes SHARE UPDATE EXCLUSIVE on the outbox, which lets inserts go on; CREATE … PARTITION OF
-- would take ACCESS EXCLUSIVE. There is no default partition: it would have to be scanned, under a lock
-- that stops inserts, by every ATTACH. search_path stays the caller's, so that it finds the caller's outbox.
create function outbox_create_partitions(ahead interval) returns setof text
language plpgsql
set timezone = 'UTC'
as $$
declare
  width constant interval := '6 hours';
  first timestamptz := date_bin(width, now(), timestamptz '2026-01-01 00:00Z');
  lower_bound timestamptz;
  partition text;
begin
  -- Two instances may maintain at once: the second waits and finds nothing to do.
  perform pg_advisory_xact_lock(hashtextextended('chirrup.outbox.partitions', 0));
  for lower_bound in select generate_series(first, now() + ahead, width) loop
    partition := 'outbox_' || to_char(lower_bound, 'YYYYMMDD_HH24');
    continue when to_regclass(partition) is not null;
    execute format('create table %I (like outbox including all)', partition);
    execute format('alter table outbox attach partition %I for values from (%L) to (%L)',
      partition, lower_bound, lower_bound + width);
    return next partition;
  end loop;
end
$$;

-- Drops the oldest partition, if all of it is older than keep; returns its name, or null when there is none.
--
-- One for each call, and with a short wait for its lock: dropping takes ACCESS EXCLUSIVE on the outbox, and
-- every insert would queue behind a drop that itself waits for a long transaction. It gives up with
-- lock_not_available (55P03) and is called again later.
create function outbox_drop_oldest_partition(keep interval) returns text
language plpgsql
set timezone = 'UTC'
set lock_timeout = '200ms'
as $$
declare
  partition text;
begin
  perform pg_advisory_xact_lock(hashtextextended('chirrup.outbox.partitions', 0));
  select child.relname into partition
  from pg_inherits
  join pg_class child on child.oid = inhrelid
  where inhparent = 'outbox'::regclass
    and to_timestamp(child.relname, '"outbox_"YYYYMMDD_HH24') + interval '6 hours' < now() - keep
  order by child.relname
  limit 1;
  if partition is not null then
    execute format('drop table %I', partition);
  end if;
  return partition;
end
$$;

select outbox_create_partitions(interval '3 days');

-- Inserts only: dropping a partition publishes nothing. Via the root, so that readers see one table.
create publication chirrup_outbox for table outbox
  with (publish = 'insert', publish_via_partition_root = true);
