"""Turns that are asked for twice, watched from elsewhere, interrupted, and swept up."""

import asyncio
from dataclasses import replace

import pytest

from chatbridge.adapters.memory.conversation_repository import MemoryConversationRepository
from chatbridge.adapters.memory.memory import Memory
from chatbridge.adapters.memory.turn_repository import MemoryTurnRepository
from chatbridge.domain.model.errors import (
    Busy,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    TurnLost,
    Unavailable,
)
from chatbridge.domain.model.identifiers import ConversationId, TurnId, UserId
from chatbridge.domain.model.page import PageRequest
from chatbridge.domain.model.turn import Asking, Once
from chatbridge.domain.model.turn_event import TurnEnded
from chatbridge.domain.services import beginning, speaking, stale_turns
from chatbridge.domain.services import turns as turns_module
from chatbridge.domain.services.recording import Recording
from chatbridge.ports.turn_repository import Progress
from tests.scripted_agent import Run
from tests.unit.domain.worlds import (
    ALICE,
    BOB,
    PATIENCE,
    Server,
    World,
    ended,
    failure,
    heard,
    open_world,
    question,
    shown,
    text_of,
)

ONCE = Asking(once=Once(key="key-1", digest="digest-1"))
INTERRUPT = Asking(on_busy="interrupt")


async def begun(world: World, text: str = "Half") -> tuple[Recording, Run]:
    """A turn that has said this much."""
    recording, run = await world.ask()
    run.say(text)
    await shown(recording, text)
    return recording, run


def lose(world: World, recording: Recording) -> None:
    """What a killed server leaves: a turn whose lease passes."""
    world.journal.jammed.add(recording.turn.id)
    kept = world.store.turn(ALICE, recording.turn.id)
    assert kept is not None
    kept[1].renew(0)


# --- watched from elsewhere


async def test_every_server_shows_the_same_events(server: Server) -> None:
    here, elsewhere = await server(), await server()
    recording, run = await begun(here)
    copy = await elsewhere.turns.watch(ALICE, recording.turn.id)
    assert copy is not recording
    copy.add_viewer()
    watching = asyncio.create_task(heard(copy))
    run.finish(" and", " whole")
    assert await heard(recording) == await watching


async def test_an_ended_turn_is_shown_from_its_first_event(server: Server) -> None:
    here, elsewhere = await server(), await server()
    recording = await here.answered("one", "answer")
    copy = await elsewhere.turns.watch(ALICE, recording.turn.id)
    assert await heard(copy) == await heard(recording)
    assert (await heard(copy, after=2))[0] == (await heard(recording))[2]


async def test_the_running_turn_of_a_conversation_is_found_on_every_server(server: Server) -> None:
    here, elsewhere = await server(), await server()
    assert await elsewhere.turns.running_in(ALICE, here.conversation) is None
    recording, run = await begun(here)
    assert await here.turns.running_in(ALICE, here.conversation) is recording
    found = await elsewhere.turns.running_in(ALICE, here.conversation)
    assert found is not None
    assert found.turn.id == recording.turn.id
    assert await elsewhere.turns.running_in(BOB, here.conversation) is None
    run.finish()
    await ended(recording)
    assert await elsewhere.turns.running_in(ALICE, here.conversation) is None


async def test_an_interrupted_answer_is_known_as_such_as_long_as_it_is_the_last(
    server: Server,
) -> None:
    here, elsewhere = await server(), await server()
    recording, _ = await begun(here)
    assert (await here.turns.seen(ALICE, here.conversation))[1] == recording.turn.id
    lose(here, recording)
    await elsewhere.turns.sweep()
    assert (await elsewhere.turns.seen(ALICE, here.conversation))[1] == recording.turn.id
    copy = await elsewhere.turns.watch(ALICE, recording.turn.id)
    assert failure(await ended(copy)).code == "interrupted"
    await replace(elsewhere, conversation=here.conversation).answered("on", "and on", new=False)
    assert (await elsewhere.turns.seen(ALICE, here.conversation))[1] is None


async def test_a_retry_that_was_interrupted_left_nothing(server: Server) -> None:
    here, elsewhere = await server(), await server()
    await here.answered("one", "answer")
    subject, _ = await here.messages()
    recording = await here.turns.retry(ALICE, here.conversation, subject.id)
    (await here.agent.next_run(ALICE)).say("Half")
    await shown(recording, "Half")
    assert (await elsewhere.turns.seen(ALICE, here.conversation))[1] == recording.turn.id
    lose(here, recording)
    await elsewhere.turns.sweep()
    assert (await elsewhere.turns.seen(ALICE, here.conversation))[1] is None


async def test_all_who_watch_a_turn_from_elsewhere_share_a_copy(server: Server) -> None:
    here, elsewhere = await server(), await server()
    recording, run = await begun(here)
    watching = (elsewhere.turns.watch(ALICE, recording.turn.id) for _ in range(2))
    first, second = await asyncio.gather(*watching)
    assert first is second is await elsewhere.turns.watch(ALICE, recording.turn.id)
    run.finish()
    await ended(first)
    assert await elsewhere.turns.watch(ALICE, recording.turn.id) is first


async def test_a_turn_is_watched_by_its_owner_only(world: World) -> None:
    recording = await world.answered("one", "answer")
    with pytest.raises(Forbidden):
        await world.turns.watch(BOB, recording.turn.id)
    with pytest.raises(NotFound):
        await world.turns.watch(ALICE, TurnId("turn_nobodys"))


async def test_a_turn_whose_events_are_gone_can_not_be_watched(world: World) -> None:
    recording = await world.answered("one", "answer")
    kept = world.store.turn(ALICE, recording.turn.id)
    assert kept is not None
    kept[1].events.clear()
    watching = (world.turns.watch(ALICE, recording.turn.id) for _ in range(3))
    refused = await asyncio.gather(*watching, return_exceptions=True)
    assert [isinstance(each, Conflict) and each.code for each in refused] == ["turn_ended"] * 3


async def test_a_viewer_elsewhere_sees_a_lost_turn_as_interrupted(server: Server) -> None:
    here, elsewhere = await server(), await server()
    recording, _ = await begun(here)
    copy = await elsewhere.turns.watch(ALICE, recording.turn.id)
    copy.add_viewer()
    lose(here, recording)
    events = await ended(copy)
    assert text_of(events) == "Half"
    assert failure(events).code == "interrupted"
    assert events[-1] == TurnEnded(state="interrupted")


async def test_a_viewer_elsewhere_is_told_of_a_deleted_conversation(server: Server) -> None:
    here, elsewhere = await server(), await server()
    recording, _ = await begun(here)
    copy = await elsewhere.turns.watch(ALICE, recording.turn.id)
    copy.add_viewer()
    await here.history.delete(ALICE, here.conversation)
    assert failure(await ended(copy)).code == "conversation_deleted"


class Away(MemoryTurnRepository):
    """Can't be asked for progress while it is away."""

    away = False

    async def progress(self, user_id: UserId, id: TurnId, after: int = 0) -> Progress:
        if self.away:
            raise Unavailable("The database is away.")
        return await super().progress(user_id, id, after)


async def test_an_outage_only_delays_who_watches_from_elsewhere(
    server: Server, store: Memory
) -> None:
    here = await server()
    repository = Away(store)
    elsewhere = await server(repository=repository)
    recording, run = await begun(here)
    copy = await elsewhere.turns.watch(ALICE, recording.turn.id)
    copy.add_viewer()
    repository.away = True
    run.finish(" and whole")
    await ended(recording)
    await asyncio.sleep(0.3)
    assert copy.state == "copying"
    repository.away = False
    assert await heard(copy) == await heard(recording)


class InParts(MemoryTurnRepository):
    """Tells of two events at once, as a database does of more of them."""

    async def progress(self, user_id: UserId, id: TurnId, after: int = 0) -> Progress:
        whole = await super().progress(user_id, id, after)
        return replace(whole, events=whole.events[:2], more=len(whole.events) > 2)


async def test_a_long_turn_is_shown_in_parts_and_whole(server: Server, store: Memory) -> None:
    here = await server()
    elsewhere = await server(repository=InParts(store))
    recording, run = await begun(here)
    for n in range(3):
        run.say(f" and {n}")
        await shown(recording, "Half" + "".join(f" and {m}" for m in range(n + 1)))
    copy = await elsewhere.turns.watch(ALICE, recording.turn.id)
    copy.add_viewer()
    said = await elsewhere.turns.said_so_far(ALICE, here.conversation)
    assert [m.content for m in said.said] == ["Half and 0 and 1 and 2"]
    run.finish(" and whole")
    await ended(recording)
    assert await heard(copy) == await heard(recording)
    later = await elsewhere.turns.watch(ALICE, recording.turn.id)
    assert await heard(later) == await heard(recording)


async def test_a_server_that_stops_lets_go_of_what_it_only_shows(server: Server) -> None:
    here, elsewhere = await server(), await server()
    recording, run = await begun(here)
    copy = await elsewhere.turns.watch(ALICE, recording.turn.id)
    copy.add_viewer()
    await elsewhere.turns.stop()
    assert text_of([event for _, event in await heard(copy)]) == "Half"
    assert recording.state == "speaking"
    with pytest.raises(Unavailable):
        await elsewhere.turns.watch(ALICE, recording.turn.id)
    run.finish()
    assert (await ended(recording))[-1] == TurnEnded(state="completed")


# --- asked twice


async def test_the_same_request_twice_is_one_turn(server: Server) -> None:
    here, elsewhere = await server(), await server()
    asked = question("hello", here.conversation)
    recording = await here.turns.ask(ALICE, asked, new=True, asking=ONCE)
    again = question("hello", ConversationId("conv_other"))
    assert await here.turns.ask(ALICE, again, new=True, asking=ONCE) is recording
    copy = await elsewhere.turns.ask(ALICE, again, new=True, asking=ONCE)
    assert (copy.turn.id, copy.turn.subject) == (recording.turn.id, recording.turn.subject)
    (await here.agent.next_run(ALICE)).finish("Once")
    copy.add_viewer()
    assert await heard(copy) == await heard(recording)
    assert [m.content for m in await here.messages()] == ["hello", "Once"]
    later = await elsewhere.turns.ask(ALICE, again, new=True, asking=ONCE)
    assert await heard(later) == await heard(recording)


async def test_another_request_under_the_key_is_refused(world: World) -> None:
    await world.turns.ask(ALICE, question("one", world.conversation), new=True, asking=ONCE)
    other = Asking(once=Once(key="key-1", digest="another"))
    with pytest.raises(Invalid) as raised:
        await world.turns.ask(ALICE, question("two", world.conversation), asking=other)
    assert raised.value.code == "idempotency_key_reused"


# --- interrupted


async def test_a_new_message_may_interrupt_what_is_being_said(world: World) -> None:
    first, run = await begun(world)
    second = await world.turns.ask(ALICE, question("no", world.conversation), asking=INTERRUPT)
    assert (await ended(first))[-1] == TurnEnded(state="cancelled")
    assert run.tidied_up
    (await world.agent.next_run(ALICE)).finish("Whole")
    await ended(second)
    said = [(m.kind, m.content) for m in await world.messages()]
    assert said == [("text", "hello"), ("partial", "Half"), ("text", "no"), ("text", "Whole")]


async def test_so_it_does_when_another_server_is_saying_it(server: Server) -> None:
    here, elsewhere = await server(), await server(on_busy="interrupt")
    first, _ = await begun(here)
    second = await elsewhere.turns.ask(ALICE, question("no", here.conversation))
    assert (await ended(first))[-1] == TurnEnded(state="cancelled")
    (await elsewhere.agent.next_run(ALICE)).finish("Whole")
    assert (await ended(second))[-1] == TurnEnded(state="completed")


async def test_what_will_not_be_interrupted_refuses_the_message(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beginning, "_INTERRUPT_SECONDS", 0.05)
    recording, run = await begun(world)
    run.may_close.clear()
    with pytest.raises(Busy):
        await world.turns.ask(ALICE, question("no", world.conversation), asking=INTERRUPT)
    run.may_close.set()
    await ended(recording)
    assert [m.content for m in await world.messages()] == ["hello", "Half"]


async def test_a_request_may_say_that_it_does_not_interrupt(server: Server) -> None:
    world = await server(on_busy="interrupt")
    recording, run = await begun(world)
    asking = Asking(on_busy="reject")
    with pytest.raises(Busy):
        await world.turns.ask(ALICE, question("no", world.conversation), asking=asking)
    run.finish()
    assert (await ended(recording))[-1] == TurnEnded(state="completed")


# --- stopped, lost, swept up


async def test_an_agent_that_does_not_stop_keeps_nobody_waiting(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speaking, "_STOP_SECONDS", 0.02)
    recording, run = await begun(world)
    run.may_close.clear()
    await world.turns.cancel(ALICE, world.conversation)
    assert (await ended(recording))[-1] == TurnEnded(state="cancelled")
    assert not run.tidied_up
    run.say("Too late")
    run.may_close.set()
    async with asyncio.timeout(PATIENCE):
        await run.closed.wait()
    assert await world.answer() == [("partial", "Half")]


async def test_what_can_not_be_kept_fails_the_turn_and_leaves_the_rest(world: World) -> None:
    recording, run = await begun(world)
    run.say("unkeepable")
    events = await ended(recording)
    assert (text_of(events), failure(events).code) == ("Half", "not_kept")
    assert events[-1] == TurnEnded(state="failed")
    assert await world.answer() == [("partial", "Half")]


async def test_no_tool_runs_in_a_turn_that_can_not_be_kept(world: World) -> None:
    _, run = await world.ask()
    run.say("unkeepable")
    started = run.start_call()
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(TurnLost):
            await run.before_call(started.call.id)


async def test_a_sweep_closes_what_nobody_looks_at(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stale_turns, "_SWEEP_EVERY", 0.01)
    first, second = await server(), await server()
    await second.answered("awake", "now")
    recording, _ = await begun(replace(first, conversation=ConversationId("conv_lost")))
    lose(first, recording)
    kept = first.store.turn(ALICE, recording.turn.id)
    assert kept is not None
    async with asyncio.timeout(PATIENCE):
        while kept[1].state == "running":  # noqa: ASYNC110  # nobody is told of a sweep
            await asyncio.sleep(0.01)
    assert kept[1].state == "interrupted"


class Asked(MemoryTurnRepository):
    """Counts how often it is swept."""

    sweeps = 0

    async def stale(self) -> tuple[tuple[UserId, ConversationId], ...]:
        self.sweeps += 1
        return await super().stale()


async def test_the_sweep_leaves_a_store_alone_that_nobody_uses(
    server: Server, store: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stale_turns, "_SWEEP_EVERY", 0.01)
    monkeypatch.setattr(turns_module, "_SEEN_SECONDS", -4.9)
    repository = Asked(store)
    world = await server(repository=repository)
    await asyncio.sleep(0.05)
    assert repository.sweeps == 0
    await world.answered("one", "answer")
    while not repository.sweeps:
        await world.answered("another", "answer", new=False)
    await asyncio.sleep(0.3)
    swept = repository.sweeps
    await asyncio.sleep(0.3)
    assert repository.sweeps == swept


# --- read while it runs


async def test_a_reader_sees_what_is_being_said_on_whichever_server(server: Server) -> None:
    here, elsewhere = await server(), await server()
    recording, run = await begun(here)
    for world in (here, elsewhere):
        assert await world.answer() == [("partial", "Half")]
    run.finish(" and whole")
    await ended(recording)
    for world in (here, elsewhere):
        assert await world.answer() == [("text", "Half and whole")]


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("limit", range(1, 9))
async def test_pages_join_up_while_something_is_being_said(
    store: Memory, limit: int, order: str
) -> None:
    async with open_world(store, ConversationId("conv_1")) as world:
        await world.answered("one", "first")
        recording, run = await world.ask("two", new=False)
        run.start_call()
        run.say("a")
        run.full_stop()
        run.say("b")
        await shown(recording, "ab")
        every = [m.id for m in await world.messages()]
        assert len(every) == 6
        seen: list[str] = []
        after = None
        for _ in range(7):
            request = PageRequest(limit=limit, after=after, order=order)  # type: ignore[arg-type]
            page = await world.history.messages(ALICE, world.conversation, request)
            assert 1 <= len(page.items) <= limit
            seen += [m.id for m in page.items]
            after = page.next
            if after is None:
                break
        assert seen == (every if order == "asc" else every[::-1])


async def test_what_is_kept_between_two_looks_is_shown_once(
    store: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_world(store, ConversationId("conv_1")) as world:
        recording, run = await begun(world)
        read = MemoryConversationRepository.messages

        async def after_the_end(self: MemoryConversationRepository, *args: object) -> object:
            run.finish(" and whole")
            await ended(recording)
            return await read(self, *args)  # type: ignore[arg-type]

        monkeypatch.setattr(MemoryConversationRepository, "messages", after_the_end)
        assert await world.answer() == [("text", "Half and whole")]
