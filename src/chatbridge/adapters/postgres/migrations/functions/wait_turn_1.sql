-- A turn comes to rest until a person answers: one call, one transaction, harmless when repeated.
--
-- p_ended are the ids of standing approvals that stand no more. Answers the state that is kept; 'lost' where somebody else has taken the turn over, and 'stop' where
-- a stop was asked for meanwhile, and nothing has changed; null where it is gone with its
-- conversation.
create function {s}.wait_turn_1(
  p_user text, p_turn text, p_epoch integer, p_seconds double precision, p_title text,
  p_usage jsonb, p_ended json, p_numbers integer[], p_events json[]
) returns text language plpgsql as $$
declare
  v_turn {s}.turns;
begin
  -- the conversation first, in the same order as begin_turn_1
  perform from {s}.conversations c
    where c.user_id = p_user and c.id = (
      select t.conversation_id from {s}.turns t where t.user_id = p_user and t.id = p_turn)
    for update;
  select * into v_turn from {s}.turns t where t.user_id = p_user and t.id = p_turn for update;
  if not found then return null; end if;
  if v_turn.epoch <> p_epoch then return 'lost'; end if;
  if v_turn.state <> 'running' then return v_turn.state; end if;
  if v_turn.cancel_asked then return 'stop'; end if;
  insert into {s}.turn_events (user_id, turn_id, number, event)
    select p_user, p_turn, e.number, e.event from unnest(p_numbers, p_events) e (number, event)
    on conflict do nothing;
  delete from {s}.standing_approvals a
    where a.user_id = p_user and a.conversation_id = v_turn.conversation_id
      and a.id in (select json_array_elements_text(p_ended));
  update {s}.conversations c
    set title = coalesce(c.title, p_title), updated_at = clock_timestamp()
    where c.user_id = p_user and c.id = v_turn.conversation_id;
  update {s}.turns t
    set state = 'waiting', usage = p_usage,
      lease_until = clock_timestamp() + make_interval(secs => p_seconds)
    where t.user_id = p_user and t.id = p_turn;
  return 'waiting';
end $$
