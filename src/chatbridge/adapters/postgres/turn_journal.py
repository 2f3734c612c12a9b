"""The journal in Postgres: an SQL function, called once a tick for all turns of this replica."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from chatbridge.adapters.postgres.failures import unkeepable
from chatbridge.adapters.postgres.rows import to_event
from chatbridge.adapters.postgres.statements import Statements
from chatbridge.domain.model import refusals
from chatbridge.domain.model.records import to_record
from chatbridge.domain.model.turn import Turn
from chatbridge.domain.model.turn_event import Revised, ToolCallAnswered
from chatbridge.ports.turn_journal import Entry, Outcome, TurnJournal

_KEEP = """
select * from {s}.keep_turns_1(cast(:turns as json), cast(:events as json),
  cast(:lease as double precision))"""

# An answer to event n of a turn that runs stands at -n, where no reader of the journal looks: of
# two, the key lets one in, and it goes with the journal.
_POST = """
insert into {s}.turn_events (user_id, turn_id, number, event)
select t.user_id, t.id, cast(:number as integer), cast(:event as json) from {s}.turns t
  where t.user_id = :user_id and t.id = :turn_id and t.state = 'running'
on conflict do nothing returning number"""
_POSTED = """
select event from {s}.turn_events
  where user_id = :user_id and turn_id = :turn_id and number = cast(:number as integer)"""


class PostgresTurnJournal(TurnJournal):
    """See the port. `engine` must be in AUTOCOMMIT; `lease` is in seconds."""

    def __init__(self, engine: AsyncEngine, schema: str, *, lease: float = 5.0) -> None:
        self._statements = Statements(engine, schema)
        self._lease = lease

    async def keep(self, entries: Sequence[Entry]) -> Sequence[Outcome]:
        try:
            rows = await self._statements.rows(_KEEP, **self._parameters(entries))
        except Exception as error:
            if unkeepable(error):
                raise refusals.not_kept() from error
            raise
        return [_outcome(row) for row in rows]

    async def post(self, turn: Turn, number: int, answered: ToolCallAnswered) -> bool:
        try:
            rows = await self._statements.rows(
                _POST, **_place(turn, number), event=json.dumps(to_record(answered))
            )
        except Exception as error:
            if unkeepable(error):
                raise refusals.not_kept() from error
            raise
        return bool(rows) or await self.posted(turn, number) == answered

    async def posted(self, turn: Turn, number: int) -> ToolCallAnswered | None:
        rows = await self._statements.rows(_POSTED, **_place(turn, number))
        event = to_event(turn.id, number, rows[0]["event"]) if rows else None
        return event if isinstance(event, ToolCallAnswered) else None

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
        return {"turns": _written(turns), "events": _written(events), "lease": self._lease}


def _outcome(row: dict[str, Any]) -> Outcome:
    beside = row["revised"]
    return Revised(**beside) if beside and row["outcome"] == "kept" else row["outcome"]


def _place(turn: Turn, number: int) -> dict[str, Any]:
    return {"user_id": turn.conversation.user_id, "turn_id": turn.id, "number": -number}


def _written(records: list[dict[str, Any]]) -> str:
    # kept as it is written, twenty times a second
    return json.dumps(records, separators=(",", ":"))
