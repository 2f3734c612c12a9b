"""What really is in the database, asked on a connection that no replica has."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import asyncpg

from tests.faults.model import Script

Row = dict[str, Any]


class Database:
    """The tables as they are."""

    def __init__(self, sql: asyncpg.Pool) -> None:
        self._sql = sql

    async def messages(self, conversation: str) -> list[Row]:
        """In order of their positions."""
        return await self._rows(
            "select * from chatbridge.messages where conversation_id = $1 order by position",
            conversation,
        )

    async def turns(self, conversation: str) -> list[Row]:
        """In order of what they answer."""
        return await self._rows(
            "select * from chatbridge.turns where conversation_id = $1"
            " order by subject_position, created_at",
            conversation,
        )

    async def events(self, turn: str) -> list[Row]:
        """What the journal has of the turn."""
        return await self._rows(
            "select number, event from chatbridge.turn_events where turn_id = $1 order by number",
            turn,
        )

    async def attachments(self) -> list[Row]:
        """Of everybody."""
        return await self._rows("select * from chatbridge.attachments order by created_at")

    async def running(self) -> int:
        """How many turns have not ended, of all."""
        rows = await self._rows("select 1 from chatbridge.turns where state = 'running'")
        return len(rows)

    async def open_turns(self) -> int:
        """How many have not ended or wait, of all."""
        rows = await self._rows("select 1 from chatbridge.turns where ended_at is null")
        return len(rows)

    async def count(self, table: str, user: str) -> int:
        """The user's rows in a table."""
        rows = await self._rows(
            f"select 1 from chatbridge.{table} where user_id = $1",  # noqa: S608 - our own names
            user,
        )
        return len(rows)

    async def _rows(self, statement: str, *arguments: Any) -> list[Row]:
        return [dict(row) for row in await self._sql.fetch(statement, *arguments)]


@dataclass
class Judged:
    """What a history breaks, by the kind of break; each entry says where."""

    lost: list[str]
    duplicated: list[str]
    reordered: list[str]
    wrong: list[str]

    @property
    def figure(self) -> str:
        """As the table shows it."""
        return (
            f"lost {len(self.lost)}, duplicated {len(self.duplicated)}, "
            f"reordered {len(self.reordered)}, wrong {len(self.wrong)}"
        )

    @property
    def faults(self) -> list[str]:
        """All of them."""
        return [*self.lost, *self.duplicated, *self.reordered, *self.wrong]


def judge(scripts: Sequence[Script], acknowledged: set[str], kept: Sequence[Row]) -> Judged:
    """Compare what one conversation has kept with what was asked in it, in the order of asking.

    Each acknowledged question is there exactly once, in order, with at most one answer, which is
    what its script says or a beginning of that.
    """
    by_prompt = {script.prompt(): script for script in scripts}
    order = {script.id: number for number, script in enumerate(scripts)}
    judged = Judged([], [], [], [])
    asked: list[str] = []
    answers: Counter[str] = Counter()
    for message in kept:
        if message["role"] == "user":
            asked.append(by_prompt[message["content"]].id)
        elif message["kind"] in ("text", "partial"):
            answers[asked[-1]] += 1
            _judge_answer(scripts[order[asked[-1]]], message, judged)
    times = Counter(asked)
    judged.lost += [id for id in sorted(acknowledged) if not times[id]]
    judged.duplicated += [f"asked twice: {id}" for id, n in times.items() if n > 1]
    judged.duplicated += [f"answered twice: {id}" for id, n in answers.items() if n > 1]
    judged.reordered += [
        later for earlier, later in pairwise(asked) if order[earlier] > order[later]
    ]
    return judged


def _judge_answer(script: Script, message: Row, judged: Judged) -> None:
    whole, text = script.text(), message["content"]
    right = whole.startswith(text) if message["kind"] == "partial" else text == whole
    if not right:
        judged.wrong.append(f"{script.id} is answered with {text!r} ({message['kind']})")
