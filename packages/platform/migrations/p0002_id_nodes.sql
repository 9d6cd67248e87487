-- Leases of the node numbers in ids. Every number has its row from the start, so that taking one is a
-- single UPDATE of a free row.
create table id_nodes (
  node smallint primary key check (node between 0 and 1023),
  -- Who holds the lease or held it last: host, process and a random part.
  holder text not null default '',
  -- By this database's clock; a lease in the past is free.
  expires_at timestamptz not null default '-infinity',
  -- No id of this node holds a later time, in milliseconds since 1970.
  high_water_ms bigint not null default 0
);

insert into id_nodes (node) select generate_series(0, 1023);
