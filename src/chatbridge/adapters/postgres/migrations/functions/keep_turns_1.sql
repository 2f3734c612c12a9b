-- Keep what running turns have said: one call and one transaction for all turns of a replica.
--
-- Answers an outcome for each entry, in their order, and what was changed beside it; see the port's
-- `Outcome`. A function, because
-- its plan is kept from tick to tick: nothing is prepared by the driver.
create function {s}.keep_turns_1(p_turns json, p_events json, p_lease double precision)
returns table (outcome text, revised jsonb) language plpgsql as $$
begin
  return query
  with asked as materialized (
    select * from json_to_recordset(p_turns)
      a (entry integer, user_id text, turn_id text, epoch integer)),
  -- the fence; a turn whose row is locked waits for the next tick and stalls no other. Each by its
  -- key, and that it runs by its missing end: else a planner might read whatever runs anywhere
  held as materialized (
    select a.entry, t.* from asked a cross join lateral (
      select t.user_id, t.id, t.cancel_asked, t.lease_until, t.revised from {s}.turns t
        where t.user_id = a.user_id and t.id = a.turn_id and t.epoch = a.epoch
          and t.ended_at is null and t.state <> 'waiting' for update of t skip locked) t),
  -- each renewal writes the row anew, so a lease is only renewed now and then
  renewed as (
    update {s}.turns t set lease_until = clock_timestamp() + make_interval(secs => p_lease)
      from held h where t.user_id = h.user_id and t.id = h.id
        and h.lease_until < clock_timestamp() + make_interval(secs => p_lease * 0.8)),
  kept as (
    insert into {s}.turn_events (user_id, turn_id, number, event)
      select h.user_id, h.id, e.number, e.event
      from json_to_recordset(p_events) e (entry integer, number integer, event json)
      join held h on h.entry = e.entry
      on conflict do nothing)
  select case when h.cancel_asked then 'stop_asked' when h.entry is not null then 'kept'
      when t.epoch = a.epoch and t.state = 'running' then 'busy'
      when t.id is not null then 'taken_over' else 'gone' end, h.revised
    from asked a
    left join held h on h.entry = a.entry
    left join lateral (
      select t.id, t.epoch, t.state from {s}.turns t
        where h.entry is null and t.user_id = a.user_id and t.id = a.turn_id offset 0) t on true
    order by a.entry;
end $$
