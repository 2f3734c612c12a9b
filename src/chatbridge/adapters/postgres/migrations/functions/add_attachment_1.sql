-- Keep the row of a file that its owner will bring, unless it is more than they may bring in a day.
--
-- How old it is, its owner's replica says; since when that is, is by the clock here.
-- One owner's are counted one after the other: two at once could both find room for one.
-- The same asked again changes nothing and answers the same.
create function {s}.add_attachment_1(
  p_user text, p_id text, p_name text, p_media_type text, p_size bigint,
  p_age double precision, p_files bigint, p_bytes bigint
) returns boolean language plpgsql as $$
declare
  v_files bigint;
  v_bytes bigint;
begin
  perform pg_advisory_xact_lock(hashtextextended('chatbridge attachments ' || p_user, 0));
  if exists (select from {s}.attachments a where a.user_id = p_user and a.id = p_id) then
    return true;
  end if;
  select count(*), coalesce(sum(a.size), 0) into v_files, v_bytes from {s}.attachments a
    where a.user_id = p_user and a.created_at > clock_timestamp() - interval '1 day';
  if v_files >= p_files or v_bytes + p_size > p_bytes then
    return false;
  end if;
  insert into {s}.attachments (user_id, id, name, media_type, size, created_at)
    values (p_user, p_id, p_name, p_media_type, p_size,
      clock_timestamp() - make_interval(secs => p_age));
  return true;
end $$
