-- A person has answered a turn that waits: one call, one transaction, harmless when repeated.
--
-- The caller has read the first p_after events to know what is asked: p_events come right behind
-- them, or nothing is kept, and p_standing, what is approved for the whole conversation. With p_go_on the turn runs from now on, under the next epoch. Answers
-- what begin_turn_1 does of a turn that has begun, and whether the last of the messages is the one
-- that it answers; else the outcome alone.
create function {s}.answer_turn_1(
  p_user text, p_turn text, p_after integer, p_events json[], p_go_on boolean,
  p_lease double precision, p_newest integer, p_room bigint, p_standing json
) returns table (
  outcome text, conversation_id text, title text, status text, status_reason text, metadata jsonb,
  agent text, pictures jsonb,
  conversation_created_at timestamptz, conversation_updated_at timestamptz,
  turn_id text, epoch integer, retry boolean, by_host boolean, counted bigint, answers boolean,
  "position" bigint, id text, role text, kind text, content text, tool_calls jsonb,
  citations jsonb, attachments jsonb, payload json, created_at timestamptz, standing json
) language plpgsql as $$
#variable_conflict use_column
declare
  v_conversation {s}.conversations;
  v_turn {s}.turns;
  v_last integer;
  v_again boolean;
  v_answers boolean;
  v_counted bigint;
  v_first bigint;
begin
  select c.* into v_conversation from {s}.conversations c
    where c.user_id = p_user and c.id = (
      select t.conversation_id from {s}.turns t where t.user_id = p_user and t.id = p_turn)
    for update;
  select * into v_turn from {s}.turns t where t.user_id = p_user and t.id = p_turn for update;
  if not found then
    outcome := 'gone';
    return next;
    return;
  end if;
  select max(e.number) into v_last from {s}.turn_events e
    where e.user_id = p_user and e.turn_id = p_turn;
  -- the commit of this very statement was lost: what it keeps first is there, and nothing else is
  select e.event::text = p_events[1]::text into v_again from {s}.turn_events e
    where e.user_id = p_user and e.turn_id = p_turn and e.number = p_after + 1;
  v_again := coalesce(v_again, false) and v_last = p_after + cardinality(p_events)
    and v_turn.state = case when p_go_on then 'running' else 'waiting' end;
  outcome := case
    when v_again then 'kept'
    when v_turn.state <> 'waiting' or v_last <> p_after then 'changed'
    when v_conversation.status <> 'active' then 'closed'
    when v_turn.lease_until < clock_timestamp() then 'expired'
    else 'kept' end;
  if outcome <> 'kept' then
    return next;
    return;
  end if;
  if not v_again then
    insert into {s}.turn_events (user_id, turn_id, number, event)
      select p_user, p_turn, p_after + e.n, e.event
      from unnest(p_events) with ordinality e (event, n);
    if p_standing is not null then
      insert into {s}.standing_approvals
        (user_id, conversation_id, source, tool, id, fingerprint, created_at)
        values (p_user, v_conversation.id, p_standing->>'source', p_standing->>'tool',
          p_standing->>'id', p_standing->>'fingerprint', (p_standing->>'created_at')::timestamptz)
        on conflict on constraint standing_approvals_pkey do update
          set id = excluded.id, fingerprint = excluded.fingerprint,
            created_at = excluded.created_at;
    end if;
    if p_go_on then
      update {s}.turns t
        set state = 'running', epoch = t.epoch + 1,
          lease_until = clock_timestamp() + make_interval(secs => p_lease)
        where t.user_id = p_user and t.id = p_turn
        returning * into v_turn;
    end if;
  end if;
  v_counted := v_conversation.counted - (select count(*) from {s}.messages m
    where m.user_id = p_user and m.conversation_id = v_conversation.id
      and m.position > v_turn.subject_position and m.kind in ('text', 'partial'));
  select v_turn.retry or m.turn_id = p_turn into v_answers from {s}.messages m
    where m.user_id = p_user and m.conversation_id = v_conversation.id
      and m.position = v_turn.subject_position;
  select m.position into v_first from {s}.messages m
    where m.user_id = p_user and m.conversation_id = v_conversation.id
      and m.position <= v_turn.subject_position and m.kind in ('text', 'partial')
    order by m.position desc offset greatest(0, least(p_newest, v_counted) - 1) limit 1;
  v_first := coalesce(v_first, v_turn.subject_position - 100);
  return query
    select 'kept', v_conversation.id, v_conversation.title, v_conversation.status,
      v_conversation.status_reason, v_conversation.metadata, v_conversation.agent, v_conversation.pictures,
      v_conversation.created_at, v_conversation.updated_at, v_turn.id, v_turn.epoch, v_turn.retry, v_turn.by_host, v_counted,
      coalesce(v_answers, false), m.position, m.id, m.role, m.kind, m.content, m.tool_calls,
      m.citations, m.attachments, m.payload, m.created_at,
      (select json_agg(a order by a.created_at) from {s}.standing_approvals a
        where a.user_id = p_user and a.conversation_id = v_conversation.id)
    from (select 1) one left join (
      select n.*, sum(n.size) over (order by n.position desc) - n.size as before
        from {s}.messages n
        where n.user_id = p_user and n.conversation_id = v_conversation.id
          and n.position between v_first and v_turn.subject_position) m
      on m.before < p_room
    order by m.position;
end $$
