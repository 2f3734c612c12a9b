-- Take over a turn whose lease has passed, whether it runs or waits for a person, and, if p_waiting,
-- also one that waits and has time left. Raise the epoch, so that its old owner can write nothing
-- more and nobody can answer it, and what is read of it then is all that it said. The turns of
-- p_ours run where it is called, which is late with their leases.
create function {s}.claim_stale_turn_1(
  p_user text, p_conversation text, p_lease double precision, p_ours text[], p_waiting boolean
) returns table (
  turn_id text, conversation_id text, epoch integer, retry boolean,
  title text, status text, status_reason text, metadata jsonb, agent text, pictures jsonb,
  conversation_created_at timestamptz, conversation_updated_at timestamptz
) language plpgsql as $$
#variable_conflict use_column
declare
  v_conversation {s}.conversations;
  v_turn {s}.turns;
  v_state text;
begin
  -- one state at a time, as it is written in its index
  if exists (select from {s}.turns t
    where t.user_id = p_user and t.conversation_id = p_conversation
      and t.state = 'running' and t.lease_until < clock_timestamp() and t.id <> all (p_ours)) then
    v_state := 'running';
  elsif exists (select from {s}.turns t
    where t.user_id = p_user and t.conversation_id = p_conversation
      and t.state = 'waiting' and (p_waiting or t.lease_until < clock_timestamp())) then
    v_state := 'waiting';
  else
    return;
  end if;
  select * into v_conversation from {s}.conversations c
    where c.user_id = p_user and c.id = p_conversation for update;
  if v_state = 'running' then
    update {s}.turns t
      set epoch = t.epoch + 1, lease_until = clock_timestamp() + make_interval(secs => p_lease)
      where t.user_id = p_user and t.conversation_id = p_conversation
        and t.state = 'running' and t.lease_until < clock_timestamp() and t.id <> all (p_ours)
      returning * into v_turn;
  else
    update {s}.turns t
      set epoch = t.epoch + 1, state = 'running',
        lease_until = clock_timestamp() + make_interval(secs => p_lease)
      where t.user_id = p_user and t.conversation_id = p_conversation
        and t.state = 'waiting' and (p_waiting or t.lease_until < clock_timestamp())
      returning * into v_turn;
  end if;
  if not found then return; end if;
  return query
    select v_turn.id, v_conversation.id, v_turn.epoch, v_turn.retry, v_conversation.title,
      v_conversation.status, v_conversation.status_reason, v_conversation.metadata, v_conversation.agent, v_conversation.pictures,
      v_conversation.created_at, v_conversation.updated_at;
end $$
