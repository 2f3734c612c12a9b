"""The journal in Postgres: one statement a tick for all the turns that this replica runs."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from chatbridge.adapters.postgres.failures import unkeepable
from chatbridge.adapters.postgres.statements import Statements
from chatbridge.domain.model import refusals
from chatbridge.domain.model.turn_event import to_record
from chatbridge.ports.turn_journal import Entry, Outcome, TurnJournal

# Per entry: the fence (epoch and state), the lease, the events, and whether a stop was asked for.
# SKIP LOCKED: a turn whose row is locked waits for the next tick and stalls no other.
_TICK = """
with asked as (
  select * from json_to_recordset(cast(:turns as json))
    a (entry integer, user_id text, turn_id text, epoch integer)),
mine as materialized (
  select a.entry, t.user_id, t.id from {s}.turns t
  join asked a on t.user_id = a.user_id and t.id = a.turn_id and t.epoch = a.epoch
  where t.state = 'running' for update of t skip locked),
held as (
  update {s}.turns t
  set lease_until = clock_timestamp() + make_interval(secs => cast(:lease as double precision))
  from mine m where t.user_id = m.user_id and t.id = m.id
  returning m.entry, t.user_id, t.id, t.cancel_asked),
kept as (
  insert into {s}.turn_events (user_id, turn_id, number, event)
  select h.user_id, h.id, e.number, e.event
  from json_to_recordset(cast(:events as json)) e (entry integer, number integer, event json)
  join held h on h.entry = e.entry
  on conflict do nothing)
select case when h.cancel_asked then 'stop_asked' when h.entry is not null then 'kept'
  when t.epoch = a.epoch and t.state = 'running' then 'busy'
  when t.id is not null then 'taken_over' else 'gone' end as outcome
from asked a
left join held h on h.entry = a.entry
left join {s}.turns t on t.user_id = a.user_id and t.id = a.turn_id
order by a.entry"""


class PostgresTurnJournal(TurnJournal):
    """See the port. `engine` must be in AUTOCOMMIT; `lease` is in seconds."""

    def __init__(self, engine: AsyncEngine, schema: str, *, lease: float = 5.0) -> None:
        self._statements = Statements(engine, schema)
        self._lease = lease

    async def keep(self, entries: Sequence[Entry]) -> Sequence[Outcome]:
        try:
            rows = await self._statements.rows(_TICK, **self._parameters(entries))
        except Exception as error:
            if unkeepable(error):
                raise refusals.not_kept() from error
            raise
        return [row["outcome"] for row in rows]

    def _parameters(self, entries: Sequence[Entry]) -> dict[str, Any]:
        turns = [
            {
                "entry": n,
                "user_id": entry.turn.conversation.user_id,
                "turn_id": entry.turn.id,
                "epoch": entry.turn.epoch,
            }
            for n, entry in enumerate(entries)
        ]
        events = [
            {"entry": n, "number": number, "event": to_record(event)}
            for n, entry in enumerate(entries)
            for number, event in entry.events
        ]
        return {"turns": json.dumps(turns), "events": json.dumps(events), "lease": self._lease}
