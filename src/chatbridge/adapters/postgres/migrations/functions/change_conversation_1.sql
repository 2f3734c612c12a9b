-- Change what a conversation holds, and the conversation itself: one call, one transaction.
--
-- Answers 'changed', 'missing' or 'forbidden'. What is added under the id of a kept message takes its
-- place; what is replaced or removed and is not there changes nothing. Harmless when repeated.
create function {s}.change_conversation_1(
  p_user text, p_conversation text, p_turn text, p_added json, p_changes json
) returns text language plpgsql as $$
declare
  v_conversation {s}.conversations;
  v_revised jsonb := (select jsonb_object_agg(c.key, c.value) from json_each(p_changes) c
    where c.key not in ('replaced', 'removed'));
  v_places bigint[];
  v_before bigint;
  v_after bigint;
  v_touched text[] := array(
    select m.value->>'id' from json_array_elements(p_added) m (value)
    union all
    select m.value->>'id' from json_array_elements(p_changes->'replaced') m (value)
    union all
    select m.value from json_array_elements_text(p_changes->'removed') m (value));
begin
  select * into v_conversation from {s}.conversations c
    where c.user_id = p_user and c.id = p_conversation for update;
  if not found then
    return case when exists (select from {s}.conversations c where c.id = p_conversation)
      then 'forbidden' else 'missing' end;
  end if;
  -- one by one, each by its id, and by their places from then on: for several at once a planner
  -- might read the whole conversation
  v_places := array(
    select p.position from unnest(v_touched) t (id) cross join lateral (
      select m.position from {s}.messages m
        where m.user_id = p_user and m.conversation_id = p_conversation and m.id = t.id offset 0) p
    union all
    select v_conversation.last_position + n from generate_series(1, json_array_length(p_added)) n);
  select count(*) filter (where m.kind in ('text', 'partial')) into v_before from {s}.messages m
    where m.user_id = p_user and m.conversation_id = p_conversation and m.position = any (v_places);
  -- a counterpart holds what is kept, or none
  update {s}.counterparts k set conversation_id = null
    where k.user_id = p_user and k.conversation_id = p_conversation
      and coalesce(k.through, v_conversation.last_position)
        >= (select min(p.position) from unnest(v_places) p (position));
  insert into {s}.messages
    (user_id, conversation_id, position, id, turn_id, role, kind, content, tool_calls, citations,
      attachments, payload, created_at)
    select p_user, p_conversation, v_conversation.last_position + m.n, m.value->>'id', p_turn,
      m.value->>'role', m.value->>'kind', m.value->>'content', (m.value->'tool_calls')::jsonb,
      (m.value->'citations')::jsonb, (m.value->'attachments')::jsonb, (m.value->>'payload')::json,
      (m.value->>'created_at')::timestamptz
    from json_array_elements(p_added) with ordinality m (value, n)
    on conflict on constraint messages_by_id do update
      set role = excluded.role, kind = excluded.kind, content = excluded.content,
        tool_calls = excluded.tool_calls, citations = excluded.citations,
        attachments = excluded.attachments, payload = excluded.payload;
  update {s}.messages m
    set role = r.value->>'role', kind = r.value->>'kind', content = r.value->>'content',
      tool_calls = (r.value->'tool_calls')::jsonb, citations = (r.value->'citations')::jsonb,
      -- what a person has attached stays, whatever else becomes of it
      attachments = case when m.role = 'user' then m.attachments
        else (r.value->'attachments')::jsonb end,
      payload = (r.value->>'payload')::json
    from json_array_elements(p_changes->'replaced') r (value)
    where m.user_id = p_user and m.conversation_id = p_conversation and m.position = any (v_places)
      and m.id = r.value->>'id';
  -- what was made belongs to what shows it
  update {s}.attachments a set sent = true
    where a.user_id = p_user and a.made and not a.sent and a.id in (
      select f.value->>'id' from json_array_elements(p_added) m (value),
        json_array_elements(m.value->'attachments') f (value)
      union all
      select f.value->>'id' from json_array_elements(p_changes->'replaced') r (value),
        json_array_elements(r.value->'attachments') f (value));
  delete from {s}.messages m
    where m.user_id = p_user and m.conversation_id = p_conversation
      and m.position = any (v_places)
      and m.id in (select json_array_elements_text(p_changes->'removed'));
  select count(*) filter (where m.kind in ('text', 'partial')) into v_after from {s}.messages m
    where m.user_id = p_user and m.conversation_id = p_conversation and m.position = any (v_places);
  update {s}.conversations c
    set last_position = c.last_position + json_array_length(p_added),
      counted = c.counted + v_after - v_before,
      title = coalesce(p_changes->>'title', c.title),
      status = coalesce(p_changes->>'status', c.status),
      status_reason = case when p_changes->>'status' is null then c.status_reason
        else p_changes->>'status_reason' end,
      agent = coalesce(p_changes->>'agent', c.agent),
      pictures = coalesce((p_changes->'pictures')::jsonb, c.pictures),
      metadata = coalesce((p_changes->'metadata')::jsonb, c.metadata),
      updated_at = clock_timestamp()
    where c.user_id = p_user and c.id = p_conversation;
  if p_turn is null and v_revised is not null then
    perform {s}.tell_turn_1(p_user, p_conversation, v_revised);
  end if;
  return 'changed';
end $$
