-- One row a turn, for reports: what docs/data-model.md says of its columns holds from version to
-- version, whatever becomes of the tables. What is counted for a row costs nothing where it isn't
-- asked for.
create view {s}.answers as
select
  t.user_id,
  t.conversation_id,
  t.id as turn_id,
  t.created_at as began_at,
  t.ended_at,
  extract(epoch from t.ended_at - t.created_at)::double precision as seconds,
  t.state,
  t.code,
  t.model,
  (t.usage->>'input_tokens')::bigint as input_tokens,
  (t.usage->>'output_tokens')::bigint as output_tokens,
  (select count(*) from {s}.messages m, jsonb_array_elements(m.tool_calls)
    where m.user_id = t.user_id and m.conversation_id = t.conversation_id and m.turn_id = t.id
  ) as tool_calls,
  (select count(*) from {s}.messages m, jsonb_array_elements(m.tool_calls) call
    where m.user_id = t.user_id and m.conversation_id = t.conversation_id and m.turn_id = t.id
      and call->>'state' <> 'succeeded'
  ) as tool_calls_failed,
  array(select m.id from {s}.messages m
    where m.user_id = t.user_id and m.conversation_id = t.conversation_id and m.turn_id = t.id
      and m.role = 'assistant'
    order by m.position
  ) as message_ids
from {s}.turns t
