"""Reports: the view that says of each turn what it was, and the documented queries."""

import re
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chatbridge.domain.model.identifiers import MessageId
from chatbridge.domain.model.turn import Ending
from chatbridge.domain.model.usage import Usage
from tests.contracts.steps import begin
from tests.contracts.store import ALICE, C1, ask, call, message, tools
from tests.integration.postgres.stores import postgres_replica
from tests.unit.test_docs import DATA_MODEL, ROOT, rows, section

VIEW = section("The view `answers`", DATA_MODEL)
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
QUERIES = re.findall(r"^```sql\n(select .*?)^```", DATA_MODEL + OPERATIONS, re.M | re.S)

FIRST_ANSWER = Ending(
    state="completed",
    messages=(
        tools("tools_1", call("call_1"), call("call_2", "failed"), call("call_3", "unknown")),
        message("says_1", role="assistant"),
    ),
    usage=Usage(input_tokens=100, output_tokens=20),
)


@dataclass
class Reported:
    """Rows as their columns name them."""

    connection: AsyncConnection

    async def rows(self, sql: str) -> list[dict[str, Any]]:
        return [{**row} for row in (await self.connection.execute(text(sql))).mappings()]

    async def do(self, *statements: str) -> None:
        for statement in statements:
            await self.connection.execute(text(statement))


@pytest.fixture
async def reported(clean_engine: AsyncEngine) -> AsyncIterator[Reported]:
    """Three turns: one with tools, one that failed, and one that still runs."""
    store = postgres_replica(clean_engine)(5.0)
    first = await begin(store, ask("turn_1", new=True, model="small"))
    await store.turns.finish(first.turn, FIRST_ANSWER)
    second = await begin(store, ask("turn_2", model="large"))
    cut = Ending(
        state="failed",
        code="model_timeout",
        messages=(message("says_2", role="assistant", kind="partial"),),
        usage=Usage(input_tokens=7, output_tokens=1),
    )
    await store.turns.finish(second.turn, cut)
    await begin(store, ask("turn_3", model="large"))
    await store.conversations.save_feedback(ALICE, C1, [MessageId("says_1")], "negative")
    async with clean_engine.connect() as connection:
        yield Reported(connection)


async def test_each_turn_is_a_row_with_all_that_a_report_asks_for(reported: Reported) -> None:
    first, second, third = await reported.rows("select * from chatbridge.answers order by turn_id")
    assert first.pop("seconds") == (first.pop("ended_at") - first.pop("began_at")).total_seconds()
    assert first == {
        "user_id": ALICE,
        "conversation_id": "conv_1",
        "turn_id": "turn_1",
        "state": "completed",
        "code": None,
        "model": "small",
        "input_tokens": 100,
        "output_tokens": 20,
        "tool_calls": 3,
        "tool_calls_failed": 2,
        "message_ids": ["tools_1", "says_1"],
    }
    assert (second["state"], second["code"], second["model"]) == (
        "failed",
        "model_timeout",
        "large",
    )
    assert (second["tool_calls"], second["message_ids"]) == (0, ["says_2"])
    assert (third["state"], third["ended_at"], third["seconds"]) == ("running", None, None)


async def test_every_message_names_its_turn(reported: Reported) -> None:
    found = await reported.rows("select id, turn_id from chatbridge.messages order by position")
    assert [(row["id"], row["turn_id"]) for row in found] == [
        ("turn_1_asks", "turn_1"),
        ("tools_1", "turn_1"),
        ("says_1", "turn_1"),
        ("turn_2_asks", "turn_2"),
        ("says_2", "turn_2"),
        ("turn_3_asks", "turn_3"),
    ]


async def test_a_retry_takes_the_messages_over_and_both_turns_keep_their_cost(
    clean_engine: AsyncEngine,
) -> None:
    store = postgres_replica(clean_engine)(5.0)
    first = await begin(store, ask("turn_1", new=True))
    await store.turns.finish(first.turn, FIRST_ANSWER)
    again = await begin(store, ask("turn_2", retry_of="turn_1_asks"))
    better = Ending(state="completed", messages=(message("says_2", role="assistant"),))
    await store.turns.finish(again.turn, better)
    async with clean_engine.connect() as connection:
        sql = "select message_ids, input_tokens from chatbridge.answers order by turn_id"
        assert [tuple(row) for row in await connection.execute(text(sql))] == [
            ([], 100),
            (["says_2"], None),
        ]


async def test_the_documented_columns_are_those_of_the_view(reported: Reported) -> None:
    found = await reported.rows(
        "select attname as name, format_type(atttypid, null) as type from pg_attribute"
        " where attrelid = 'chatbridge.answers'::regclass and attnum > 0 order by attnum"
    )
    said = [(row[0].strip("`"), row[1]) for row in rows(VIEW)]
    assert [(row["name"], row["type"]) for row in found] == said


async def test_the_documented_queries_answer(reported: Reported) -> None:
    export, *reports = QUERIES
    exported = await reported.rows(export.replace("'alice'", f"'{ALICE}'"))
    assert [(row["id"], row["feedback"]) for row in exported] == [
        ("turn_1_asks", None),
        ("tools_1", None),
        ("says_1", "negative"),
        ("turn_2_asks", None),
        ("says_2", None),
        ("turn_3_asks", None),
    ]
    by_model, by_code, by_user = [await reported.rows(query) for query in reports]
    assert [(row["model"], row["answers"], row["input_tokens"]) for row in by_model] == [
        ("large", 2, 7),
        ("small", 1, 100),
    ]
    assert [(row["code"], row["model"], row["answers"]) for row in by_code] == [
        ("model_timeout", "large", 1)
    ]
    assert [(row["user_id"], row["input_tokens"], row["output_tokens"]) for row in by_user] == [
        (ALICE, 107, 21)
    ]


async def test_what_no_report_asks_for_is_not_read(reported: Reported) -> None:
    sql = "explain select model, sum(input_tokens) from chatbridge.answers group by model"
    plan = str(await reported.rows(sql))
    assert "turns" in plan
    assert "messages" not in plan


async def test_a_role_for_reports_reads_no_word_that_anybody_has_said(reported: Reported) -> None:
    role = f"chatbridge_reports_{secrets.token_hex(4)}"
    await reported.do(f"create role {role}")
    try:
        await reported.do(
            f"grant usage on schema chatbridge to {role}",
            f"grant select on chatbridge.answers to {role}",
            f"set role {role}",
        )
        assert len(await reported.rows("select * from chatbridge.answers")) == 3
        with pytest.raises(DBAPIError, match="permission denied for table messages"):
            await reported.rows("select content from chatbridge.messages")
    finally:
        await reported.do("reset role", f"drop owned by {role}", f"drop role {role}")
