-- Keep the row of a file that its owner will bring, unless it is more than they may bring in a day.
-- One that is made, by a tool or a model, is counted with those, and is in its conversation at once;
-- where that is gone, in none. Its bytes come next, in the first attempt.
--
-- How old it is, its owner's replica says; since when that is, is by the clock here.
-- One owner's are counted one after the other: two at once could both find room for one.
-- The same asked again changes nothing and answers the same.
create function {s}.add_attachment_1(
  p_user text, p_id text, p_name text, p_media_type text, p_size bigint,
  p_age double precision, p_files bigint, p_bytes bigint, p_made boolean, p_conversation text
) returns boolean language plpgsql as $$
declare
  v_files bigint;
  v_bytes bigint;
  v_conversation text;
begin
  perform pg_advisory_xact_lock(hashtextextended('chatbridge attachments ' || p_user, 0));
  if exists (select from {s}.attachments a where a.user_id = p_user and a.id = p_id) then
    return true;
  end if;
  select count(*), coalesce(sum(a.size), 0) into v_files, v_bytes from {s}.attachments a
    where a.user_id = p_user and a.made = p_made
      and a.created_at > clock_timestamp() - interval '1 day';
  if v_files >= p_files or v_bytes + p_size > p_bytes then
    return false;
  end if;
  select c.id into v_conversation from {s}.conversations c
    where c.user_id = p_user and c.id = p_conversation for key share;
  insert into {s}.attachments
    (user_id, id, name, media_type, size, created_at, made, conversation_id, tries)
    values (p_user, p_id, p_name, p_media_type, p_size,
      clock_timestamp() - make_interval(secs => p_age), p_made, v_conversation,
      case when p_made then 1 else 0 end);
  return true;
end $$
