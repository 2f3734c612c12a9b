-- Where turns have lost their replica, or have waited too long for a person: a hundred conversations
-- of each at most.
--
-- Reads the index of running turns entry by entry, whatever the statistics say: that takes out what
-- turns that have ended left there. A bitmap leaves it, and the next sweep would read it again.
create function {s}.stale_turns_1() returns table (user_id text, conversation_id text)
language sql set enable_bitmapscan = off set enable_seqscan = off as $$
  (select t.user_id, t.conversation_id from {s}.turns t
    where t.state = 'running' and t.lease_until < clock_timestamp()
    order by t.user_id, t.conversation_id limit 100)
  union all
  (select t.user_id, t.conversation_id from {s}.turns t
    where t.state = 'waiting' and t.lease_until < clock_timestamp()
    order by t.lease_until limit 100)
$$
