-- Begin a turn: one call, one transaction, one round trip.
--
-- Locks the conversation first, so that everything after it is decided in one order; each
-- statement then sees what was committed before (a single statement with CTEs would not).
-- Answers a row for each of the newest messages up to the one to be answered, oldest first, so many
-- that `p_newest` of them count or that they are `p_room` bytes, each with the outcome, the
-- conversation and how many count in all (where nothing is there to be read, a row without a
-- message), and with what is approved for the whole of it; for a turn that was begun under the same
-- key before, its subject alone; else the outcome alone. The same request asked again answers the
-- same. The entry p_about, which a turn without a message is about, is answered too: `beside` the
-- newest where it is none of them.
create function {s}.begin_turn_1(
  p_user text, p_conversation text, p_new boolean, p_turn text, p_lease double precision,
  p_message json, p_retry_of text, p_newest integer, p_room bigint, p_key text, p_digest text,
  p_model text, p_by_host boolean, p_about text
) returns table (
  outcome text, conversation_id text, title text, status text, status_reason text, metadata jsonb,
  agent text, pictures jsonb,
  conversation_created_at timestamptz, conversation_updated_at timestamptz,
  turn_id text, epoch integer, retry boolean, by_host boolean, counted bigint,
  "position" bigint, id text, role text, kind text, content text, tool_calls jsonb,
  citations jsonb, attachments jsonb, payload json, created_at timestamptz, beside boolean, standing json
) language plpgsql as $$
#variable_conflict use_column
declare
  v_conversation {s}.conversations;
  v_turn {s}.turns;
  v_place text;
  v_subject bigint;
  v_about bigint;
  v_answerable boolean;
  v_counted bigint;
  v_first bigint;
  v_standing json;
  v_sent bigint;
begin
  select t.conversation_id into v_place from {s}.turns t where t.user_id = p_user and t.key = p_key;
  v_place := coalesce(v_place, p_conversation);
  if p_new and v_place = p_conversation then
    insert into {s}.conversations (user_id, id) values (p_user, p_conversation)
      on conflict do nothing;
  end if;
  select * into v_conversation from {s}.conversations c
    where c.user_id = p_user and c.id = v_place for update;
  if not found then
    outcome := case
      when exists (select from {s}.conversations c where c.id = p_conversation) then 'forbidden'
      else 'missing' end;
    return next;
    return;
  end if;
  -- an earlier request of the same key may have begun while this one waited for the lock
  select * into v_turn from {s}.turns t
    where t.user_id = p_user and (t.id = p_turn or t.key = p_key);
  if found and v_turn.id <> p_turn and v_turn.conversation_id <> v_place then
    -- it began in another conversation just now: asked again, this one finds it there
    raise exception 'the key is taken' using errcode = 'serialization_failure';
  elsif found and v_turn.id <> p_turn then
    outcome := case when v_turn.digest = p_digest then 'repeated' else 'reused' end;
    v_first := v_turn.subject_position;
    v_subject := v_turn.subject_position;
  elsif found then
    -- asked again: the same answer, unless somebody else has taken the turn over or may do so now
    outcome := case
      when v_turn.conversation_id <> p_conversation or v_turn.state <> 'running'
        or v_turn.epoch > 1 then 'ended'
      when v_turn.lease_until < clock_timestamp() then 'stale'
      else 'started' end;
    v_subject := v_turn.subject_position;
  else
    select * into v_turn from {s}.turns t
      where t.user_id = p_user and t.conversation_id = p_conversation and t.state = 'running';
    if not found then
      select * into v_turn from {s}.turns t
        where t.user_id = p_user and t.conversation_id = p_conversation and t.state = 'waiting';
    end if;
    outcome := case
      when v_conversation.status <> 'active' then 'closed'
      when found and v_turn.state = 'waiting' then 'waiting'
      when found and v_turn.lease_until < clock_timestamp() then 'stale'
      when found then 'busy'
      else 'started' end;
    if outcome = 'started' and p_retry_of is not null then
      select m.position, m.role = 'user' and m.kind = 'text' into v_subject, v_answerable
        from {s}.messages m
        where m.user_id = p_user and m.conversation_id = p_conversation and m.id = p_retry_of;
      outcome := case when v_subject is null then 'no_message'
        when not v_answerable then 'not_retryable' else 'started' end;
    elsif outcome = 'started' and p_message is null then
      -- it answers no message, but what is there
      v_subject := v_conversation.last_position;
    elsif outcome = 'started' then
      -- the files of a message are sent with it, all of them or none
      if json_array_length(p_message->'attachments') > 0 then
        begin
          update {s}.attachments a set sent = true, conversation_id = p_conversation
            from json_array_elements(p_message->'attachments') f
            where a.user_id = p_user and a.id = f.value->>'id' and a.state = 'kept' and not a.sent
              and not a.made;
          get diagnostics v_sent = row_count;
          if v_sent <> json_array_length(p_message->'attachments') then
            raise exception 'not all of them' using errcode = 'CB001';
          end if;
        exception when sqlstate 'CB001' then
          if exists (select from {s}.turns t where t.user_id = p_user and t.key = p_key) then
            -- an earlier request of the same key has just sent them
            raise exception 'the key is taken' using errcode = 'serialization_failure';
          end if;
          outcome := 'attachment_gone';
          delete from {s}.conversations c
            where p_new and c.user_id = p_user and c.id = p_conversation and c.last_position = 0
              and not exists (select from {s}.turns t
                where t.user_id = p_user and t.conversation_id = p_conversation);
          return next;
          return;
        end;
      end if;
      v_subject := v_conversation.last_position + 1;
      -- not asked for first: a planner that knows little of ids might read the whole conversation
      insert into {s}.messages
        (user_id, conversation_id, position, id, turn_id, role, kind, content, attachments, payload,
          created_at)
        values (p_user, p_conversation, v_subject, p_message->>'id', p_turn, 'user', 'text',
          p_message->>'content', (p_message->'attachments')::jsonb, (p_message->>'payload')::json,
          (p_message->>'created_at')::timestamptz)
        on conflict on constraint messages_by_id do nothing;
      outcome := case when found then 'started' else 'known_message' end;
    end if;
    if outcome = 'started' then
      insert into {s}.turns
        (user_id, id, conversation_id, subject_position, retry, key, digest, model, by_host,
          lease_until)
        values (p_user, p_turn, p_conversation, v_subject, p_retry_of is not null, p_key, p_digest,
          p_model, p_by_host, clock_timestamp() + make_interval(secs => p_lease))
        on conflict (user_id, key) where key is not null do nothing
        returning * into v_turn;
      if not found then
        raise exception 'the key is taken' using errcode = 'serialization_failure';
      end if;
    end if;
    -- one that answers no message touches nothing before it has ended: it may be withdrawn
    if outcome = 'started' and (p_message is not null or v_turn.retry) then
      update {s}.conversations c
        set last_position = greatest(c.last_position, v_subject),
          counted = c.counted + case when p_message is null then 0 else 1 end,
          updated_at = clock_timestamp()
        where c.user_id = p_user and c.id = p_conversation
        returning * into v_conversation;
    end if;
  end if;
  if outcome not in ('started', 'repeated') then
    return next;
    return;
  end if;
  if outcome = 'started' then
    v_counted := v_conversation.counted;
    -- also where it is asked for again, and more has been kept since
    if v_conversation.last_position > v_subject then
      v_counted := v_counted - (select count(*) from {s}.messages m
        where m.user_id = p_user and m.conversation_id = p_conversation
          and m.position > v_subject and m.kind in ('text', 'partial'));
    end if;
    select m.position into v_first from {s}.messages m
      where m.user_id = p_user and m.conversation_id = p_conversation
        and m.position <= v_subject and m.kind in ('text', 'partial')
      order by m.position desc offset greatest(0, least(p_newest, v_counted) - 1) limit 1;
    -- where none counts, whatever else was shown last
    v_first := coalesce(v_first, v_subject - 100);
    if p_about is not null then
      select m.position into v_about from {s}.messages m
        where m.user_id = p_user and m.conversation_id = p_conversation and m.id = p_about;
    end if;
    select json_agg(a order by a.created_at) into v_standing from {s}.standing_approvals a
      where a.user_id = p_user and a.conversation_id = p_conversation;
  end if;
  return query
    select outcome, v_conversation.id, v_conversation.title, v_conversation.status,
      v_conversation.status_reason, v_conversation.metadata, v_conversation.agent, v_conversation.pictures, v_conversation.created_at,
      v_conversation.updated_at, v_turn.id, v_turn.epoch, v_turn.retry, v_turn.by_host, v_counted,
      m.position, m.id, m.role, m.kind, m.content, m.tool_calls, m.citations, m.attachments,
        m.payload,
      m.created_at, m.before >= p_room, v_standing
    from (
      select n.*, sum(n.size) over (order by n.position desc) - n.size as before
        from {s}.messages n
        where n.user_id = p_user and n.conversation_id = v_place
          and n.position between v_first and v_subject
      union all
      select n.*, p_room from {s}.messages n
        where v_about < v_first and n.user_id = p_user and n.conversation_id = v_place
          and n.position = v_about) m
    where m.before < p_room or m.position = v_about
    order by m.position;
  if not found and p_message is null and p_retry_of is null then
    return query
      select outcome, v_conversation.id, v_conversation.title, v_conversation.status,
        v_conversation.status_reason, v_conversation.metadata, v_conversation.agent, v_conversation.pictures, v_conversation.created_at,
        v_conversation.updated_at, v_turn.id, v_turn.epoch, v_turn.retry, v_turn.by_host,
        coalesce(v_counted, 0), null::bigint, null, null, null, null, null::jsonb, null::jsonb,
        null::jsonb, null::json, null::timestamptz, null::boolean, v_standing;
  elsif not found then
    -- what was asked then has been deleted since, by a retry of something before it
    outcome := 'ended';
    return next;
  end if;
end $$
