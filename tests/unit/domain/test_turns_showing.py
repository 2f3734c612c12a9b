"""What turns show and change, as it is read while they run and kept when they end."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from chatbridge.adapters.memory.memory import Memory
from chatbridge.adapters.memory.turn_repository import MemoryTurnRepository
from chatbridge.domain.model import refusals
from chatbridge.domain.model.answer import Answer
from chatbridge.domain.model.errors import Busy, Conflict, NotFound
from chatbridge.domain.model.identifiers import MessageId, new_message_id, new_turn_id
from chatbridge.domain.model.message import Message
from chatbridge.domain.model.page import Order, PageRequest
from chatbridge.domain.model.payload import Payload
from chatbridge.domain.model.turn import Asking
from chatbridge.domain.model.turn_event import (
    Changed,
    Removed,
    Revised,
    Shown,
    TextDelta,
    TextFinished,
    TextStarted,
    Titled,
    ToolCallAsked,
    TurnEvent,
    TurnWaiting,
)
from chatbridge.domain.services.recording import Recording
from chatbridge.ports.turn_repository import TurnRequest
from tests.scripted_agent import Run
from tests.unit.domain.worlds import ALICE, Outages, Server, World, ended, heard
from tests.waiting import until

PRESSED = Asking(operation={"type": "threads.custom_action"}, headers={"map": "1"})


def shown(id: MessageId | None = None, how: Any = "done", **fields: Any) -> Shown:
    given: dict[str, Any] = {"kind": "shown", "content": "", "payload": {"n": 1}, **fields}
    return Shown(message_id=id or new_message_id(), at=datetime.now(UTC), how=how, **given)


async def answered_with(world: World, *events: TurnEvent) -> None:
    recording, run = await world.ask()
    for event in events:
        run.tell(event)
    run.finish()
    await ended(recording)


async def pressed(world: World, *events: TurnEvent) -> tuple[Recording, Run]:
    """Somebody has pressed a button, and this much of what follows is kept."""
    recording = await world.turns.act(ALICE, world.conversation, PRESSED)
    run = await world.agent.next_run("alice")
    for event in events:
        run.tell(event)
    await run.taken_down()
    assert await recording.until_said_is_kept()
    return recording, run


async def payloads(world: World) -> list[Payload | None]:
    return [m.payload for m in await world.messages() if m.kind == "shown"]


async def test_a_turn_without_a_message_is_asked_in_a_surfaces_own_words(world: World) -> None:
    await world.answered("hello", "Hi")
    recording, run = await pressed(world)
    assert run.request.asking == PRESSED
    assert [m.content for m in run.request.window] == ["hello", "Hi"]
    assert run.request.turn.subject is None
    assert not run.request.stopped()
    await world.turns.cancel(ALICE, world.conversation)
    assert run.request.stopped()
    await ended(recording)


@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_a_page_is_as_long_as_it_may_be_whatever_a_running_turn_has_removed(
    server: Server, order: Order
) -> None:
    here, elsewhere = await server(), await server()
    entries = [shown() for _ in range(6)]
    await answered_with(here, *entries)
    gone = [Removed(message_id=entries[n].message_id, earlier=True) for n in (0, 1, 2, 4)]
    recording, run = await pressed(here, *gone, shown())
    for world in (here, elsewhere):
        read = partial(world.history.messages, ALICE, world.conversation)
        left = (await read(PageRequest(limit=100, order=order))).items
        assert len(left) == 4
        for limit in range(1, 5):
            seen: list[Message] = []
            after: str | None = None
            while len(seen) < len(left):
                page = await read(PageRequest(limit=limit, order=order, after=after))
                assert len(page.items) == min(limit, len(left) - len(seen))
                seen += page.items
                after = page.next
            assert (tuple(seen), after) == (left, None)
    run.finish()
    await ended(recording)


async def test_a_running_turn_is_read_with_what_it_has_changed(server: Server) -> None:
    here, elsewhere = await server(), await server()
    one, two = shown(), shown()
    await answered_with(here, one, two)
    new = replace(one, how="replaced", payload={"n": 2}, earlier=True)
    gone = Removed(message_id=two.message_id, earlier=True)
    note = shown(kind="note", content="<SEAT/>")
    recording, run = await pressed(here, new, gone, note)
    for world in (here, elsewhere):
        assert await payloads(world) == [{"n": 2}]
        message = await world.history.message(ALICE, world.conversation, one.message_id)
        assert message.payload == {"n": 2}
        with pytest.raises(NotFound):
            await world.history.message(ALICE, world.conversation, two.message_id)
    run.finish()
    await ended(recording)
    assert await payloads(here) == [{"n": 2}]
    assert [m.kind for m in await here.messages()] == ["text", "shown"]


async def test_a_title_of_the_hosts_own_server_is_the_only_one(world: World) -> None:
    world.agent.by_host = True
    recording, run = await world.ask()
    run.tell(Revised(title="Seats"))
    run.finish()
    assert not [e for e in await ended(recording) if isinstance(e, Titled)]
    assert (await world.history.get(ALICE, world.conversation)).title == "Seats"


async def test_what_is_changed_beside_a_turn_is_said_by_it(server: Server) -> None:
    here, elsewhere = await server(), await server()
    await here.answered("hello", "Hi")
    widget = shown(how="added")
    recording, run = await pressed(here, widget)
    new = replace(widget, how="replaced", payload={"n": 2})
    with pytest.raises(Busy):
        await elsewhere.history.change(ALICE, here.conversation, [new])
    await here.history.change(ALICE, here.conversation, [new])
    assert await payloads(elsewhere) == [{"n": 2}]
    run.finish()
    assert new in [event for _, event in await heard(recording)]


async def asking(world: World, *events: TurnEvent) -> Recording:
    """A turn that has shown this and waits for a person."""
    recording, run = await world.ask()
    for event in events:
        run.tell(event)
    started = run.start_call("pay")
    call = started.call.id
    run.tell(ToolCallAsked(message_id=started.message_id, call_id=call, asks="approval"))
    run.finish()
    assert isinstance((await ended(recording))[-1], TurnWaiting)
    return recording


def pay(recording: Recording) -> Answer:
    """Yes."""
    (asked,) = [e for e in recording.events if isinstance(e, ToolCallAsked)]
    return Answer(call_id=asked.call_id, decision="approved")


async def test_what_is_changed_beside_a_turn_that_waits_is_its_own(server: Server) -> None:
    here, elsewhere = await server(), await server()
    one, two = shown(), shown(how="added")
    recording = await asking(here, one, two)
    new = replace(one, how="replaced", payload={"n": 2}, earlier=True)
    changes = [new, Changed(message_id=two.message_id, payload={"m": 1})]
    both = [{"n": 2}, {"n": 1, "updates": [{"m": 1}]}]
    await elsewhere.history.change(ALICE, here.conversation, changes)
    for world in (here, elsewhere):
        assert await payloads(world) == both
    answered = await elsewhere.turns.questions.answer(
        ALICE, here.conversation, pay(recording), Asking()
    )
    run = await elsewhere.agent.next_run("alice")
    assert run.request.before
    assert [m.payload for m in run.request.before.messages if m.kind == "shown"] == both
    gone = Removed(message_id=two.message_id, earlier=True)
    await elsewhere.history.change(ALICE, here.conversation, [gone])
    run.finish()
    await ended(answered.recording)
    assert await payloads(here) == both[:1]


async def test_a_change_waits_for_a_turn_that_is_about_to_end(
    server: Server, store: Memory
) -> None:
    repository = Outages(store)
    world = await server(repository=repository)
    repository.away = 1
    widget = shown()
    recording, run = await world.ask()
    run.tell(widget)
    run.finish()
    await until(lambda: recording.state == "closing")
    new = replace(widget, how="replaced", payload={"n": 2}, earlier=True)
    await world.history.change(ALICE, world.conversation, [new])
    assert recording.state == "ended"
    assert await payloads(world) == [{"n": 2}]


async def test_a_click_that_is_refused_stops_and_withdraws_nothing(server: Server) -> None:
    world = await server(on_busy="interrupt")

    async def refuse() -> None:
        raise refusals.action_not_offered()

    act = partial(world.turns.act, ALICE, world.conversation, PRESSED, look=refuse)
    recording, run = await world.ask()
    with pytest.raises(Conflict) as refused:
        await act()
    assert (refused.value.code, recording.stopped_as) == ("action_not_offered", None)
    run.finish()
    await ended(recording)
    await asking(world)
    with pytest.raises(Conflict) as refused:
        await act()
    last = await MemoryTurnRepository(world.store).last(ALICE, world.conversation)
    assert (refused.value.code, last and last.state) == ("action_not_offered", "waiting")


async def test_who_watches_a_turn_that_is_withdrawn_is_told_nothing(server: Server) -> None:
    elsewhere = await server()
    await elsewhere.answered("hello", "Hi")
    here = MemoryTurnRepository(elsewhere.store)
    where = {"user_id": ALICE, "conversation_id": elsewhere.conversation}
    begun = await here.begin(TurnRequest(**where, turn_id=new_turn_id()), newest=1)
    copy = await elsewhere.turns.watch(ALICE, begun.turn.id)
    watching = asyncio.create_task(ended(copy))
    del elsewhere.store.conversations[(ALICE, elsewhere.conversation)].turns[begun.turn.id]
    assert await watching == []


async def test_what_is_changed_where_no_turn_runs_is_kept(world: World) -> None:
    widget = shown()
    await answered_with(world, widget)
    new = replace(widget, how="replaced", payload={"n": 2}, earlier=True)
    late = shown(kind="note", content="later")
    await world.history.change(ALICE, world.conversation, [new, late, Revised(title="T")])
    assert await payloads(world) == [{"n": 2}]
    assert (await world.history.get(ALICE, world.conversation)).title == "T"
    kept = await world.history.message(ALICE, world.conversation, late.message_id)
    assert (kept.kind, kept.content) == ("note", "later")


async def test_words_of_two_parts_are_never_joined(world: World) -> None:
    id = new_message_id()
    recording, run = await world.ask()
    run.tell(TextStarted(message_id=id, at=datetime.now(UTC)))
    for part, text in ((0, "a"), (0, "b"), (1, "c")):
        run.tell(TextDelta(message_id=id, text=text, part=part))
    run.tell(TextFinished(message_id=id))
    run.finish()
    words = [(e.part, e.text) for e in await ended(recording) if isinstance(e, TextDelta)]
    assert "".join(text for part, text in words if part == 0) == "ab"
    assert words[-1] == (1, "c")
