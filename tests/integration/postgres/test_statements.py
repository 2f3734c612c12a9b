"""The typed statements: which index a read goes by, in which schema, and what belongs together."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.orm import contains_eager, selectinload
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from chatbridge.adapters.postgres.tables import ConversationRow, MessageRow, TurnRow
from chatbridge.domain.model.identifiers import ConversationId, TurnId, UserId
from chatbridge.domain.model.page import PageRequest
from tests.contracts.steps import answers, exchange
from tests.contracts.store import ALICE, BOB, C1, Store, message
from tests.integration.postgres.stores import postgres_replica

# a long conversation among many
FILLED = """
insert into chatbridge.conversations (user_id, id)
  select 'user_' || u, 'conv_' || u || '_' || c
  from generate_series(1, 40) u, generate_series(1, 20) c;
insert into chatbridge.messages (user_id, conversation_id, position, id, role, kind)
  select user_id, id, n, 'msg_' || n, 'user', 'text'
  from chatbridge.conversations, generate_series(1, 10) n;
insert into chatbridge.messages (user_id, conversation_id, position, id, role, kind)
  select 'user_1', 'conv_1_1', n, 'msg_' || n, 'user', 'text' from generate_series(11, 3000) n;
insert into chatbridge.turns
  (user_id, id, conversation_id, subject_position, retry, state, lease_until)
  select user_id, 'turn_' || id || '_' || n, id, n, false,
    case n when 2 then 'running' else 'completed' end, now()
  from chatbridge.conversations, generate_series(1, 2) n;
insert into chatbridge.turn_events (user_id, turn_id, number, event)
  select user_id, id, n, '{}' from chatbridge.turns, generate_series(1, 5) n;
insert into chatbridge.feedback (user_id, conversation_id, message_id, kind)
  select user_id, conversation_id, id, 'positive' from chatbridge.messages;
analyze"""

OWNER, PLACE, TURN = UserId("user_1"), ConversationId("conv_1_1"), TurnId("turn_conv_1_1_1")
READS: dict[str, Callable[[Store], Awaitable[object]]] = {
    "get": lambda s: s.conversations.get(OWNER, PLACE),
    "list": lambda s: s.conversations.list(OWNER, PageRequest(order="desc", limit=5)),
    "list waiting": lambda s: s.conversations.list(OWNER, PageRequest(limit=5), waiting=True),
    "messages": lambda s: s.conversations.messages(OWNER, PLACE, PageRequest(order="desc")),
    "messages after": lambda s: s.conversations.messages(OWNER, PLACE, PageRequest(after="msg_9")),
    "feedback": lambda s: s.conversations.feedback(OWNER, PLACE, 9),
    "turn": lambda s: s.turns.turn(OWNER, TURN),
    "last": lambda s: s.turns.last(OWNER, PLACE),
    "progress": lambda s: s.turns.progress(OWNER, TURN, after=2),
    "stop": lambda s: s.turns.ask_cancel(OWNER, PLACE),
}
# attributes of the class, which are typed as a row's own
MESSAGES: Any = ConversationRow.messages
TURNS: Any = ConversationRow.turns
SORTED = ("last", "list waiting", "progress", "feedback")
"""What finds a handful of rows before it sorts them."""


@pytest.fixture
def store(clean_engine: AsyncEngine) -> Store:
    return postgres_replica(clean_engine)(5.0)


@pytest.fixture
async def session(clean_engine: AsyncEngine, store: Store) -> AsyncIterator[AsyncSession]:
    """A session of a test's own, on two conversations of Alice's and one of Bob's."""
    for owner in (ALICE, BOB):
        await exchange(store, message("msg_0"), *answers("msg_b", "msg_a"), user_id=owner)
    await exchange(store, message("msg_0", conversation_id=ConversationId("conv_2")))
    async with AsyncSession(clean_engine) as session:
        yield session


def nodes(plan: dict[str, Any]) -> Iterator[str]:
    """The kinds of the nodes of a plan."""
    yield plan["Node Type"]
    for each in plan.get("Plans", ()):
        yield from nodes(each)


async def test_every_read_goes_by_an_index(store: Store, clean_engine: AsyncEngine) -> None:
    sent: list[tuple[str, Any]] = []

    def note(*what: Any) -> None:
        sent.append(what[2:4])

    async with clean_engine.connect() as connection:
        for statement in FILLED.split(";"):
            await connection.execute(text(statement))
        event.listen(clean_engine.sync_engine, "before_cursor_execute", note)
        for read in READS.values():
            await read(store)
        event.remove(clean_engine.sync_engine, "before_cursor_execute", note)
        for name, (statement, parameters) in zip(READS, sent, strict=True):
            explained = await connection.exec_driver_sql(
                f"explain (format json) {statement}", parameters
            )
            plan = explained.scalar_one()[0]["Plan"]
            kinds = set(nodes(plan))
            assert "Seq Scan" not in kinds, f"{name}: {json.dumps(plan, indent=1)}"
            assert name in SORTED or "Sort" not in kinds, f"{name}: {json.dumps(plan, indent=1)}"


async def test_a_conversation_has_its_messages_in_order(session: AsyncSession) -> None:
    with_messages = select(ConversationRow).options(selectinload(MESSAGES), selectinload(TURNS))
    rows = await session.exec(with_messages.order_by(col(ConversationRow.id)))
    kept = {
        (row.user_id, row.id): ([m.id for m in row.messages], [t.id for t in row.turns])
        for row in rows
    }
    told = (["msg_0", "msg_b", "msg_a"], ["turn_of_msg_0_in_conv_1"])
    assert kept == {
        (ALICE, C1): told,
        (ALICE, "conv_2"): (["msg_0"], ["turn_of_msg_0_in_conv_2"]),
        (BOB, C1): told,
    }


async def test_a_message_and_a_turn_have_their_conversation(session: AsyncSession) -> None:
    for table in (MessageRow, TurnRow):
        conversation: Any = table.conversation
        joined = select(table).join(conversation).options(contains_eager(conversation))
        for row in await session.exec(joined):
            whose = (row.conversation.user_id, row.conversation.id)
            assert whose == (row.user_id, row.conversation_id)


async def test_what_was_not_asked_for_is_not_fetched_behind_the_back(
    session: AsyncSession,
) -> None:
    for row in await session.exec(select(ConversationRow)):
        with pytest.raises(InvalidRequestError, match="raise"):
            _ = row.messages
