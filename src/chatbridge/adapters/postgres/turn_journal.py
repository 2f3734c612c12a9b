"""The journal in Postgres: one statement a tick for all the turns that this replica runs."""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from chatbridge.adapters.postgres.failures import unkeepable
from chatbridge.adapters.postgres.statements import Statements
from chatbridge.domain.model.errors import TurnLost, Unavailable
from chatbridge.domain.model.identifiers import TurnId, UserId
from chatbridge.domain.model.turn import Recording
from chatbridge.domain.model.turn_event import to_record
from chatbridge.ports.turn_journal import TurnJournal

_log = logging.getLogger(__name__)

# Per turn: the fence (epoch and state), the lease, the events, and whether a stop was asked for.
# SKIP LOCKED: a turn whose row is locked waits for the next tick and stalls no other.
_TICK = """
with asked as (
  select * from json_to_recordset(cast(:turns as json))
    a (user_id text, turn_id text, epoch integer)),
mine as materialized (
  select t.user_id, t.id from {s}.turns t
  join asked a on t.user_id = a.user_id and t.id = a.turn_id and t.epoch = a.epoch
  where t.state = 'running' for update of t skip locked),
held as (
  update {s}.turns t
  set lease_until = clock_timestamp() + make_interval(secs => cast(:lease as double precision))
  from mine m where t.user_id = m.user_id and t.id = m.id
  returning t.user_id, t.id, t.cancel_asked),
kept as (
  insert into {s}.turn_events (user_id, turn_id, number, event)
  select h.user_id, h.id, e.number, e.event
  from json_to_recordset(cast(:events as json))
    e (user_id text, turn_id text, number integer, event json)
  join held h on h.user_id = e.user_id and h.id = e.turn_id
  on conflict do nothing)
select a.user_id, a.turn_id, a.epoch,
  case when h.id is not null then 'held' when t.epoch = a.epoch and t.state = 'running'
    then 'locked' when t.id is not null then 'fenced' else 'gone' end as outcome,
  coalesce(h.cancel_asked, false) as cancel_asked
from asked a
left join held h on h.user_id = a.user_id and h.id = a.turn_id
left join {s}.turns t on t.user_id = a.user_id and t.id = a.turn_id"""


_AT_ONCE = 100
"""How many turns one statement writes at most: its locks are held until all are written."""

_Key = tuple[UserId, TurnId, int]


class PostgresTurnJournal(TurnJournal):
    """See the port. `tick`, `heartbeat` and `lease` are in seconds; the lease outlives several
    heartbeats, so that a moment without the database costs no turn.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        schema: str,
        *,
        tick: float = 0.05,
        heartbeat: float = 0.5,
        lease: float = 5.0,
    ) -> None:
        self._statements = Statements(engine, schema)
        self._tick, self._heartbeat, self._lease = tick, heartbeat, lease
        self._open: dict[_Key, Recording] = {}
        self._news = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        flusher = asyncio.create_task(self._flush_for_ever())
        try:
            yield
        finally:
            flusher.cancel()
            with suppress(asyncio.CancelledError):
                await flusher

    def open(self, recording: Recording) -> None:
        self._open[_key(recording)] = recording

    def wake(self) -> None:
        self._news.set()

    def close(self, recording: Recording) -> None:
        self._open.pop(_key(recording), None)

    async def _flush_for_ever(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._heartbeat):
                    await self._news.wait()
            self._news.clear()
            try:
                await self._flush()
            except Unavailable:
                self._news.set()
            except Exception:
                _log.exception("journal: a tick failed")
            await asyncio.sleep(self._tick)

    async def _flush(self) -> None:
        recordings = tuple(self._open.values())
        for first in range(0, len(recordings), _AT_ONCE):
            await self._write(recordings[first : first + _AT_ONCE])

    async def _write(self, recordings: Sequence[Recording]) -> None:
        """Write them together, or, if something in one can't be kept, each by itself."""
        try:
            await self._tick_of(recordings)
        except Exception as error:
            if not unkeepable(error):
                raise
            if len(recordings) > 1:
                for recording in recordings:
                    await self._write((recording,))
            else:
                self._refuse(recordings[0], error)

    async def _tick_of(self, recordings: Sequence[Recording]) -> None:
        written = {_key(r): len(r.events) for r in recordings}
        for row in await self._statements.rows(_TICK, **self._parameters(recordings)):
            key = (row["user_id"], row["turn_id"], row["epoch"])
            # one that was finished meanwhile has taken its tail along
            if recording := self._open.get(key):
                self._settle(recording, row, written[key])

    def _parameters(self, recordings: Sequence[Recording]) -> dict[str, Any]:
        turns = [_named(r) | {"epoch": r.turn.epoch} for r in recordings]
        events = [
            _named(r) | {"number": number, "event": to_record(event)}
            for r in recordings
            for number, event in r.tail
        ]
        return {"turns": json.dumps(turns), "events": json.dumps(events), "lease": self._lease}

    def _settle(self, recording: Recording, row: dict[str, Any], written: int) -> None:
        match row["outcome"]:
            case "held":
                recording.durable_to(written)
                if row["cancel_asked"] and not recording.cancel_asked:
                    recording.ask_cancel()
            case "fenced":
                self._lose(recording, TurnLost("The turn was taken over by another server."))
            case "gone":
                gone = "The conversation was deleted."
                self._lose(recording, TurnLost(gone, code="conversation_deleted"))
            case _:
                self._news.set()

    def _refuse(self, recording: Recording, error: Exception) -> None:
        _log.error("turn %s: an event can't be kept: %s", recording.turn.id, type(error).__name__)
        self.close(recording)
        recording.refuse()

    def _lose(self, recording: Recording, reason: TurnLost) -> None:
        self.close(recording)
        recording.lose(reason)


def _key(recording: Recording) -> _Key:
    turn = recording.turn
    return turn.conversation.user_id, turn.id, turn.epoch


def _named(recording: Recording) -> dict[str, Any]:
    turn = recording.turn
    return {"user_id": turn.conversation.user_id, "turn_id": turn.id}
