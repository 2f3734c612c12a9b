"""The journal in Postgres: an SQL function, called once a tick for all turns of this replica."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from chatbridge.adapters.postgres.failures import unkeepable
from chatbridge.adapters.postgres.statements import Statements
from chatbridge.domain.model import refusals
from chatbridge.domain.model.records import to_record
from chatbridge.ports.turn_journal import Entry, Outcome, TurnJournal

_KEEP = """
select * from {s}.keep_turns_1(cast(:turns as json), cast(:events as json),
  cast(:lease as double precision))"""


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
        return {"turns": _written(turns), "events": _written(events), "lease": self._lease}


def _written(records: list[dict[str, Any]]) -> str:
    # kept as it is written, twenty times a second
    return json.dumps(records, separators=(",", ":"))
