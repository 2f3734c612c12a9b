-- Tell the turn that runs or waits what was changed in its conversation beside it: whoever runs it
-- says so by an event of the same id. What it has not said yet is told again with the new.
create function {s}.tell_turn_1(p_user text, p_conversation text, p_revised jsonb)
returns void language sql as $$
  update {s}.turns t
    set revised = case
        when exists (select from {s}.turn_events e
          where e.user_id = t.user_id and e.turn_id = t.id and e.event->>'id' = t.revised->>'id')
        then '{}' else coalesce(t.revised, '{}') end
      -- a reason goes with its status
      || case when p_revised ? 'status' then '{"status_reason": null}'::jsonb else '{}' end
      || p_revised || jsonb_build_object('id', gen_random_uuid()::text)
    where t.user_id = p_user and t.id in (
      -- one state at a time, as it is written in its index
      select r.id from {s}.turns r
        where r.user_id = p_user and r.conversation_id = p_conversation and r.state = 'running'
      union all
      select w.id from {s}.turns w
        where w.user_id = p_user and w.conversation_id = p_conversation and w.state = 'waiting')
$$
