-- How an author's posts reach home feeds. No row means normal, at epoch 0. A row is never removed, because
-- its epoch must go on growing.
create table celebrity_states (
  user_id bigint constraint celebrity_states_pkey primary key,
  -- As chirrup.follow.v1.CelebrityState numbers it: 1 normal, 2 rising, 3 celebrity, 4 falling.
  state smallint not null constraint celebrity_states_state check (state between 1 and 4),
  -- Grows by one with each change of the state.
  epoch bigint not null
);

-- Those whose outboxes a feed merges: few beside all who ever were.
create index celebrity_states_merged on celebrity_states (user_id) include (state) where state <> 1;
