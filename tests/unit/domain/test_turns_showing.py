"""What turns show and change, as it is read while they run and kept when they end."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from chatbridge.domain.model.errors import Busy, NotFound
from chatbridge.domain.model.identifiers import MessageId, new_message_id
from chatbridge.domain.model.message import Message
from chatbridge.domain.model.page import Order, PageRequest
from chatbridge.domain.model.payload import Payload
from chatbridge.domain.model.turn import Asking
from chatbridge.domain.model.turn_event import (
    Removed,
    Revised,
    Shown,
    TextDelta,
    TextFinished,
    TextStarted,
    Titled,
    TurnEvent,
)
from chatbridge.domain.services.recording import Recording
from tests.scripted_agent import Run
from tests.unit.domain.worlds import ALICE, Server, World, ended, heard

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
