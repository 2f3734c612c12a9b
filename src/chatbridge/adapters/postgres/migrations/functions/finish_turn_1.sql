-- Finish a turn: one call, one transaction, one round trip, and harmless when repeated.
--
-- Answers the state that is kept; 'lost' where somebody else has taken the turn over and nothing
-- has changed; null where it is gone with its conversation.
create function {s}.finish_turn_1(
  p_user text, p_turn text, p_epoch integer, p_state text, p_code text, p_title text,
  p_usage jsonb, p_messages json, p_made text[], p_changes json, p_numbers integer[], p_events json[]
) returns text language plpgsql as $$
declare
  v_conversation {s}.conversations;
  v_turn {s}.turns;
  v_more bigint := 0;
  v_fewer bigint := 0;
begin
  -- the conversation first, in the same order as begin_turn_1
  select c.* into v_conversation from {s}.conversations c
    where c.user_id = p_user and c.id = (
      select t.conversation_id from {s}.turns t where t.user_id = p_user and t.id = p_turn)
    for update;
  select * into v_turn from {s}.turns t where t.user_id = p_user and t.id = p_turn for update;
  if not found then return null; end if;
  if v_turn.epoch <> p_epoch then return 'lost'; end if;
  if v_turn.state <> 'running' then return v_turn.state; end if;

  insert into {s}.turn_events (user_id, turn_id, number, event)
    select p_user, p_turn, e.number, e.event from unnest(p_numbers, p_events) e (number, event)
    on conflict do nothing;

  if v_turn.retry and p_state = 'completed' then
    with earlier as (
      delete from {s}.messages m where m.user_id = p_user
        and m.conversation_id = v_turn.conversation_id and m.position > v_turn.subject_position
        returning m.kind)
      select count(*) into v_fewer from earlier e where e.kind in ('text', 'partial');
    -- a counterpart holds what is kept, or none
    update {s}.counterparts k set conversation_id = null
      where k.user_id = p_user and k.conversation_id = v_turn.conversation_id
        and coalesce(k.through, v_conversation.last_position) > v_turn.subject_position;
  end if;
  if not v_turn.retry or p_state = 'completed' then
    insert into {s}.messages
      (user_id, conversation_id, position, id, turn_id, role, kind, content, tool_calls, citations,
        attachments, payload, created_at)
      select p_user, v_turn.conversation_id, v_conversation.last_position + m.n,
        m.value->>'id', p_turn, m.value->>'role', m.value->>'kind', m.value->>'content',
        (m.value->'tool_calls')::jsonb, (m.value->'citations')::jsonb,
        (m.value->'attachments')::jsonb, (m.value->>'payload')::json,
        (m.value->>'created_at')::timestamptz
      from json_array_elements(p_messages) with ordinality m (value, n);
    -- what was made belongs to what shows it; what nothing shows any more is left
    if cardinality(p_made) > 0 then
      update {s}.attachments a set sent = true
        where a.user_id = p_user and a.id = any (p_made) and a.made;
    end if;
    select count(*) into v_more from json_array_elements(p_messages) m
      where m.value->>'kind' in ('text', 'partial');
    if p_changes is not null then
      perform {s}.change_conversation_1(
        p_user, v_turn.conversation_id, p_turn, '[]'::json, p_changes);
      -- what was changed beside it, and is not among what it said, came later
      if v_turn.revised is not null and not exists (select from {s}.turn_events e
        where e.user_id = p_user and e.turn_id = p_turn
          and e.event->>'id' = v_turn.revised->>'id') then
        perform {s}.change_conversation_1(
          p_user, v_turn.conversation_id, p_turn, '[]'::json, v_turn.revised::json);
      end if;
    end if;
  end if;
  update {s}.conversations c
    set last_position = c.last_position + case
        when v_turn.retry and p_state <> 'completed' then 0 else json_array_length(p_messages) end,
      counted = c.counted + v_more - v_fewer,
      title = coalesce(c.title, p_title), updated_at = clock_timestamp()
    where c.user_id = p_user and c.id = v_turn.conversation_id;
  update {s}.turns t set state = p_state, code = p_code, usage = p_usage, ended_at = clock_timestamp()
    where t.user_id = p_user and t.id = p_turn;
  -- a turn can be watched again for an hour; what this conversation said before that is in its messages
  with earlier as (
    update {s}.turns t set watchable = false
      where t.user_id = p_user and t.conversation_id = v_turn.conversation_id and t.watchable
        and t.ended_at < clock_timestamp() - interval '1 hour'
      returning t.id)
    delete from {s}.turn_events e using earlier where e.user_id = p_user and e.turn_id = earlier.id;
  return p_state;
end $$
