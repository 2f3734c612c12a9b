"""How often a turn asks the database: counted on the wire, with a warm pool."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from chatbridge.adapters.postgres.engine import postgres_engine
from chatbridge.adapters.postgres.task_repository import PostgresTaskRepository
from chatbridge.adapters.postgres.turn_repository import PostgresTurnRepository
from chatbridge.container import Container
from chatbridge.domain.model.counterpart import CounterpartId
from chatbridge.domain.model.identifiers import ConversationId, MessageId, TurnId
from chatbridge.domain.model.page import PageRequest
from chatbridge.domain.model.turn import Turn
from chatbridge.ports.task_repository import TaskRepository
from tests.chatkit_client import create, items, say
from tests.contracts.steps import answers, ending, entry, exchange
from tests.contracts.store import ALICE, C1, Store, ask, conversation, message, said
from tests.contracts.turn_journal import HI
from tests.hosts.scripts import action
from tests.integration.http.waiting_stage import (
    Api,
    CountingTools,
    Stage,
    buttons,
    call_of,
    stage,
)
from tests.integration.postgres.stores import SCHEMA, postgres_replica
from tests.integration.scripted_endpoint import ScriptedEndpoint
from tests.round_trips import Report, Trips, asked, at_once, described, fill, whole_turns
from tests.scripted_agent import ScriptedAgent
from tests.serving import served, settings_for
from tests.tcp_proxy import proxied

IDS = {"X-Chatbridge-Stream": "resumable"}


@pytest.fixture(params=["", "?pgbouncer=true"], ids=["direct", "pooled"])
async def line(
    request: pytest.FixtureRequest, fresh_database: str
) -> AsyncGenerator[tuple[Trips, str]]:
    """A counted line to a database, as a direct one and as one through a pooler is treated."""
    async with proxied(fresh_database) as (proxy, url):
        yield Trips(proxy), url + request.param


@pytest.fixture
def report(capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest) -> Iterator[Report]:
    made = Report()
    yield made
    with capsys.disabled():
        print(f"\n{request.node.name}: " + "; ".join(made.lines))


async def test_begin_and_finish_are_one_round_trip_each(
    line: tuple[Trips, str], report: Report
) -> None:
    trips, url = line
    engine = postgres_engine(url, 1)
    turns = PostgresTurnRepository(engine, SCHEMA)
    try:
        for n in range(4):
            request = ask(f"turn_{n}", conversation_id=ConversationId("conv_1"), new=n == 0)
            trips.since()
            begun = await turns.begin(request, 15)
            beginning = trips.since()
            said_so = said(f"says_{n}", "Hello ", "there")
            await turns.finish(begun.turn, ending(begun.turn, said_so))
            finishing = trips.since()
    finally:
        await engine.dispose()
    report.add(f"begin {beginning.total()}, finish {finishing.total()}")
    assert beginning == {"begin": 1}
    assert finishing == {"finish": 1}


async def test_every_other_call_is_one_round_trip(line: tuple[Trips, str], report: Report) -> None:
    """Twice each: the first use of a statement asks for its description too."""
    trips, url = line
    engine = postgres_engine(url, 1)
    store = postgres_replica(engine)(5.0)
    tasks = PostgresTaskRepository(engine, SCHEMA)
    counted: dict[str, int] = {}
    try:
        for n in range(2):
            await exchange(store, message(f"msg_{n}"), *answers(f"says_{n}"))
            task = await tasks.add(ALICE, "milk")
            for name, ask_it in calls(store, tasks, n, task.number).items():
                trips.since()
                await ask_it()
                counted[name] = trips.since().total()
    finally:
        await engine.dispose()
    report.add(", ".join(f"{name} {n}" for name, n in counted.items()))
    assert counted == dict.fromkeys(counted, 1)


def calls(
    store: Store, tasks: TaskRepository, n: int, task: int
) -> dict[str, Callable[[], Awaitable[object]]]:
    """What is asked of a conversation of two messages, its turn and the owner's tasks."""
    conversations, turns, whole = store.conversations, store.turns, PageRequest()
    counterparts, its = store.counterparts, CounterpartId("conv_there")
    mine = Turn(id=TurnId("turn_gone"), conversation=conversation())
    turn, asked, says = TurnId(f"turn_of_msg_{n}_in_{C1}"), f"msg_{n}", MessageId(f"says_{n}")
    return {
        "get": lambda: conversations.get(ALICE, C1),
        "list": lambda: conversations.list(ALICE, whole),
        "list waiting": lambda: conversations.list(ALICE, whole, waiting=True),
        "rename": lambda: conversations.rename(ALICE, C1, "Milk"),
        "messages": lambda: conversations.messages(ALICE, C1, whole),
        "messages after": lambda: conversations.messages(ALICE, C1, PageRequest(after=asked)),
        "feedback": lambda: conversations.save_feedback(ALICE, C1, [says], "positive"),
        "feedback read": lambda: conversations.feedback(ALICE, C1, 10),
        "feedback taken back": lambda: conversations.save_feedback(ALICE, C1, [says], None),
        "turn": lambda: turns.turn(ALICE, turn),
        "last": lambda: turns.last(ALICE, C1),
        "keep": lambda: store.journal.keep([entry(mine, *HI), entry(mine, *HI)]),
        "progress": lambda: turns.progress(ALICE, turn),
        "stop": lambda: turns.ask_cancel(ALICE, C1),
        "stale": turns.stale,
        "abandon": turns.abandon_running,
        "counterpart": lambda: counterparts.of(ALICE, C1),
        "take": lambda: counterparts.take(ALICE, C1),
        "give": lambda: counterparts.give(ALICE, C1, its),
        "hold": lambda: counterparts.hold(ALICE, its, 2),
        "part": lambda: counterparts.part(ALICE, its),
        "left": counterparts.left,
        "forget": lambda: counterparts.forget(ALICE, its),
        "add": lambda: tasks.add(ALICE, "tea", key=f"add_{n}"),
        "tasks": lambda: tasks.list(ALICE),
        "change": lambda: tasks.update(ALICE, task, done=True),
        "change by key": lambda: tasks.update(ALICE, task, done=True, key=f"change_{n}"),
        "drop": lambda: tasks.delete(ALICE, task, key=f"drop_{n}"),
        "delete": lambda: conversations.delete(ALICE, C1),
    }


async def test_a_plain_turn_costs_two_round_trips_and_one_before_the_model(
    line: tuple[Trips, str], report: Report
) -> None:
    trips, url = line
    for name, turns in (await whole_turns(trips, url)).items():
        report.add(f"{name}: {described([whole for _, whole in turns])}")
        for before, whole in turns:
            assert asked(before) == {"begin": 1}
            assert asked(whole) == {"begin": 1, "finish": 1}


async def test_to_ask_costs_two_and_to_answer_three_and_a_tick(
    line: tuple[Trips, str], report: Report
) -> None:
    trips, url = line
    asking, answering = list[Counter[str]](), list[Counter[str]]()
    api, tools = Api("responses"), CountingTools()
    async with (
        ScriptedEndpoint().running() as endpoint,
        stage(url, endpoint, tools, api) as here,
    ):
        on = Stage(here, endpoint, tools, api)
        await fill(here.container.store().engine)
        for n in range(4):
            on.model(("pay", {"sum": 5}), then="Paid.")
            trips.since()
            thread, shown = await on.ask()
            asking.append(trips.since())
            if n % 2:
                await on.press(thread, shown[-1], buttons(shown[-1])[0])
            else:
                await on.answer(thread, call_of(shown[-1]), decision="approve")
            answering.append(trips.since())
    # the first use of a statement on a connection asks for its description too
    report.add(f"ask {described(asking[2:])}; answer {described(answering[2:])}")
    for question, reply in zip(asking[2:], answering[2:], strict=True):
        assert asked(question) == {"begin": 1, "wait": 1}
        assert asked(reply) == {"opened": 1, "answer": 1, "finish": 1}
        assert reply["tick"]


@pytest.mark.parametrize(
    "given",
    [
        {"server": {"entry": "tests.hosts.servers:Seats", "actions": "offered"}},
        {"agent": {"entry": "tests.hosts.assistants:assistant"}},
    ],
    ids=["server", "agent"],
)
async def test_a_click_costs_what_a_plain_turn_does(
    fresh_database: str, report: Report, given: dict[str, Any]
) -> None:
    """One that is not offered costs one more than its beginning: it is taken back."""
    settings = partial(settings_for, **given)
    async with proxied(fresh_database) as (proxy, url), served(settings(url), at_once) as here:
        trips, ada = Trips(proxy), here.as_user("ada")
        await fill(here.container.store().engine)
        for _ in range(3):
            thread, _ = await say(ada, create("please show_seats"))
            kept = (await ada.post("/chatkit", json=items(thread))).json()["data"]
            widget = next(item["id"] for item in kept if "1A" in str(item.get("widget")))
            pick = action(thread, widget, "seat.pick", {"seat": "1A"})
            trips.since()
            await say(ada, pick)
            picked = trips.since()
            again = await ada.post("/chatkit", json=pick)
            refused = trips.since()
        report.add(described([picked, refused]))
    assert again.json()["code"] == "action_not_offered"
    assert asked(picked) == {"begin": 1, "finish": 1}
    assert asked(refused) == {"begin": 1, "withdraw": 1}


async def test_a_turn_of_five_hundred_words_is_as_long_as_it_had_ticks(
    fresh_database: str, report: Report
) -> None:
    """Rows, frames and bytes; and another replica tells the very same."""
    agent = ScriptedAgent()
    async with proxied(fresh_database) as (proxy, url), AsyncExitStack() as stack:
        trips = Trips(proxy)
        here, elsewhere = [
            await stack.enter_async_context(served(settings_for(url), _speaking(agent)))
            for _ in range(2)
        ]
        client = here.as_user(ALICE)
        answering = asyncio.create_task(client.post("/chatkit", json=create("hello"), headers=IDS))
        run = await agent.next_run(ALICE)
        trips.since()
        for _ in range(100):
            run.say(*["word "] * 5)
            await run.taken_down()
        run.finish()
        stream = (await answering).text
        counted = trips.since()
        turn = run.request.on_behalf
        _, first, *_, last = re.split("^id: ", stream, flags=re.M)
        path = f"/chatkit/threads/{turn.conversation_id}/events"
        cursor = {"Last-Event-ID": first.partition("\n")[0]}
        joined = (await elsewhere.as_user(ALICE).get(path, headers=cursor)).text
        rows, size = await _kept(here.container.store().engine, turn.turn_id)
    ticks, frames, words = counted["tick"], stream.count("\n\n"), 500 * len("word ")
    report.add(f"{ticks} ticks, {rows} rows of {size} bytes, {frames} frames of {len(stream)}")
    assert joined == stream.partition(first)[2]
    assert joined.endswith(last)
    # the other replica asks too, when it starts
    assert (counted["begin"], counted["finish"]) == (0, 1)
    assert max(rows, frames) <= ticks + 10
    assert size <= words + 300 * rows
    assert len(stream) <= 2 * words + 500 * frames


def _speaking(agent: ScriptedAgent) -> Callable[[Container], None]:
    return lambda container: container.agent.override(agent)


async def _kept(engine: AsyncEngine, turn_id: str) -> tuple[int, int]:
    """How many rows its journal has, and how many bytes."""
    counting = "select count(*), sum(pg_column_size(e.*)) from chatbridge.turn_events e"
    async with engine.connect() as connection:
        found = await connection.execute(text(f"{counting} where turn_id = :id"), {"id": turn_id})
        rows, size = found.one()
        return rows, size
