"""The life of a turn, over memory, with an agent that says what the test says."""

import asyncio
import time

import pytest

from chatbridge.adapters.memory.memory import Memory
from chatbridge.adapters.memory.turn_repository import MemoryTurnRepository
from chatbridge.domain.model.context_window import ContextWindow
from chatbridge.domain.model.errors import (
    AgentFailed,
    Busy,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    TurnLost,
    Unavailable,
)
from chatbridge.domain.model.identifiers import (
    new_conversation_id,
)
from chatbridge.domain.model.limits import MAX_PAGE
from chatbridge.domain.model.message import Message
from chatbridge.domain.model.turn_event import (
    Titled,
    ToolCallStarted,
    TurnEnded,
    TurnEvent,
    TurnFailed,
)
from chatbridge.domain.services import answering
from chatbridge.domain.services.recording import Recording
from chatbridge.ports.turn_repository import Begun, Repeated, TurnRequest
from tests.unit.domain.worlds import (
    ALICE,
    BOB,
    PATIENCE,
    Outages,
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

LEASE = 0.05


async def test_a_completed_turn_keeps_its_answer(world: World) -> None:
    recording, run = await world.ask("What is chatbridge?")
    run.finish("A ", "bridge.")
    events = await ended(recording)
    assert events[-1] == TurnEnded(state="completed")
    assert text_of(events) == "A bridge."
    asked, said = await world.messages()
    assert (asked.content, asked.position) == ("What is chatbridge?", 1)
    assert (said.content, said.kind, said.position) == ("A bridge.", "text", 2)


async def test_the_agent_is_asked_for_the_authenticated_user(world: World) -> None:
    await world.answered("one", "first")
    recording, run = await world.ask("two", new=False)
    run.finish()
    await ended(recording)
    request = run.request
    assert (request.on_behalf.user_id, request.on_behalf.turn_id) == (ALICE, recording.turn.id)
    assert [m.content for m in request.window] == ["one", "first", "two"]


async def test_an_answer_survives_the_loss_of_every_viewer(world: World) -> None:
    recording, run = await world.ask()
    recording.add_viewer()
    recording.add_viewer()
    run.say("Half")
    await shown(recording, "Half")
    world.turns.leave(recording)
    world.turns.leave(recording)
    run.finish(" and whole")
    assert (await ended(recording))[-1] == TurnEnded(state="completed")
    assert await world.answer() == [("text", "Half and whole")]


async def test_with_cancel_the_loss_of_every_viewer_stops_the_agent(server: Server) -> None:
    world = await server(on_disconnect="cancel")
    recording, run = await world.ask()
    recording.add_viewer()
    recording.add_viewer()
    run.say("Half")
    await shown(recording, "Half")
    world.turns.leave(recording)
    assert not run.closing.is_set(), "one viewer is still there"
    world.turns.leave(recording)
    assert (await ended(recording))[-1] == TurnEnded(state="cancelled")
    assert run.tidied_up
    assert await world.answer() == [("partial", "Half")]


async def test_a_viewer_who_leaves_after_the_end_cancels_nothing(server: Server) -> None:
    world = await server(on_disconnect="cancel")
    recording, run = await world.ask()
    recording.add_viewer()
    run.finish("Whole")
    await ended(recording)
    world.turns.leave(recording)
    assert recording.stopped_as is None
    assert await world.answer() == [("text", "Whole")]


async def test_a_stop_keeps_what_was_shown(world: World) -> None:
    recording, run = await world.ask()
    run.say("As far as ", "here")
    await shown(recording, "As far as here")
    assert await world.turns.cancel(ALICE, world.conversation)
    assert (await ended(recording))[-1] == TurnEnded(state="cancelled")
    assert run.tidied_up
    assert await world.answer() == [("partial", "As far as here")]
    assert not await world.turns.cancel(ALICE, world.conversation)


async def test_a_stop_where_the_turn_runs_does_not_wait_for_the_journal(world: World) -> None:
    recording, run = await world.ask()
    run.say("Far")
    await shown(recording, "Far")
    world.journal.jammed.add(recording.turn.id)
    assert await world.turns.cancel(ALICE, world.conversation)
    assert (await ended(recording))[-1] == TurnEnded(state="cancelled")


async def test_a_stop_from_another_server_arrives_by_the_store(server: Server) -> None:
    here, elsewhere = await server(), await server()
    recording, run = await here.ask()
    run.say("Far")
    await shown(recording, "Far")
    assert await elsewhere.turns.cancel(ALICE, here.conversation)
    assert (await ended(recording))[-1] == TurnEnded(state="cancelled")
    assert await here.answer() == [("partial", "Far")]


async def test_only_the_owner_can_stop(world: World) -> None:
    recording, run = await world.ask()
    with pytest.raises(Forbidden):
        await world.turns.cancel(BOB, world.conversation)
    with pytest.raises(NotFound):
        await world.turns.cancel(BOB, new_conversation_id())
    run.finish("Undisturbed")
    assert (await ended(recording))[-1] == TurnEnded(state="completed")


async def test_an_agent_that_is_stopped_may_take_its_time_to_tidy_up(world: World) -> None:
    """The journal goes on ticking meanwhile, and its news must not cut the tidying off."""
    recording, run = await world.ask()
    run.may_close.clear()
    run.say("Words")
    await shown(recording, "Words")
    await world.turns.cancel(ALICE, world.conversation)
    async with asyncio.timeout(PATIENCE):
        await run.closing.wait()
    await asyncio.sleep(0.03)
    await world.turns.cancel(ALICE, world.conversation)
    assert not run.closed.is_set()
    run.may_close.set()
    assert (await ended(recording))[-1] == TurnEnded(state="cancelled")
    assert run.tidied_up


async def test_a_stop_before_the_first_word_leaves_no_message(world: World) -> None:
    recording, _ = await world.ask()
    await world.turns.cancel(ALICE, world.conversation)
    assert (await ended(recording))[-1] == TurnEnded(state="cancelled")
    assert await world.answer() == []


async def test_a_tool_may_run_once_its_call_is_durable(world: World) -> None:
    recording, run = await world.ask()
    started = run.start_call()
    async with asyncio.timeout(PATIENCE):
        await run.before_call(started.call.id)
    assert started in recording.events[: recording.kept]
    kept = world.store.turn(ALICE, recording.turn.id)
    assert kept is not None
    assert started in kept[1].events.values()
    run.end_call(started)
    run.finish("Done")
    await ended(recording)


async def test_a_tool_waits_as_long_as_its_call_is_not_durable(world: World) -> None:
    recording, run = await world.ask()
    world.journal.jammed.add(recording.turn.id)
    started = run.start_call()
    waiting = asyncio.create_task(run.before_call(started.call.id))
    await run.taken_down()
    done, _ = await asyncio.wait({waiting}, timeout=0.05)
    assert not done
    world.journal.jammed.clear()
    async with asyncio.timeout(PATIENCE):
        await waiting
    run.finish()
    await ended(recording)


async def test_a_tool_does_not_run_in_a_lost_turn(world: World) -> None:
    recording, run = await world.ask()
    started = run.start_call()
    gone = TurnLost("Gone.", code="conversation_deleted")
    world.turns.abandon(ALICE, world.conversation, gone)
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(TurnLost, match="Gone"):
            await run.before_call(started.call.id)
    assert failure(await ended(recording)).detail == "Gone."


async def test_a_call_that_is_cut_off_has_an_unknown_outcome(world: World) -> None:
    recording, run = await world.ask()
    started = run.start_call()
    async with asyncio.timeout(PATIENCE):
        await run.before_call(started.call.id)
    await world.turns.cancel(ALICE, world.conversation)
    await ended(recording)
    (step,) = [m for m in await world.messages() if m.kind == "tools"]
    assert [c.state for c in step.tool_calls] == ["unknown"]


async def test_a_failing_agent_keeps_its_text_and_says_why(world: World) -> None:
    recording, run = await world.ask()
    run.say("I was about")
    run.fail(AgentFailed("The model is tired.", code="model_unavailable"))
    events = await ended(recording)
    assert failure(events) == TurnFailed(code="model_unavailable", detail="The model is tired.")
    assert events[-1] == TurnEnded(state="failed")
    assert await world.answer() == [("partial", "I was about")]


async def test_a_broken_agent_keeps_its_text_and_hides_its_reason(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    recording, run = await world.ask()
    run.say("I was about")
    run.fail(KeyError("postgres://user:secret@host"))
    events = await ended(recording)
    assert failure(events).code == "agent_failed"
    assert "secret" not in failure(events).detail
    assert events[-1] == TurnEnded(state="failed")
    assert await world.answer() == [("partial", "I was about")]
    assert "the agent failed" in caplog.text


async def test_a_history_that_can_not_be_read_fails_its_turn_and_holds_up_nothing(
    server: Server,
) -> None:
    def unreadable(message: Message) -> str:
        raise TypeError(message.id)

    world = await server(window=ContextWindow(max_characters=1, words=unreadable))
    recording = await world.turns.ask(ALICE, question("hello", world.conversation), new=True)
    assert failure(await ended(recording)).code == "agent_failed"
    assert not await world.turns.cancel(ALICE, world.conversation)


async def test_after_a_failure_the_conversation_goes_on(world: World) -> None:
    recording, run = await world.ask()
    run.fail(AgentFailed("No."))
    await ended(recording)
    await world.answered("again", "Yes.", new=False)
    assert await world.answer() == [("text", "Yes.")]


@pytest.mark.parametrize("kept_before_it_went", [False, True])
async def test_an_outage_at_the_end_is_waited_for(
    server: Server,
    store: Memory,
    monkeypatch: pytest.MonkeyPatch,
    kept_before_it_went: bool,
) -> None:
    monkeypatch.setattr(answering, "_FINISH_AGAIN_AFTER", 0.0)
    repository = Outages(store)
    repository.away, repository.kept_before_it_went = 5, kept_before_it_went
    world = await server(repository=repository)
    recording, run = await world.ask()
    run.finish("Kept")
    assert (await ended(recording))[-1] == TurnEnded(state="completed")
    assert repository.away == 0
    assert await world.answer() == [("text", "Kept")]


async def test_after_an_outage_that_lasted_the_answer_is_interrupted(
    server: Server, store: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "_FINISH_AGAIN_AFTER", 0.0)
    repository = Outages(store)
    repository.away = 1_000
    world = await server(repository=repository)
    recording, run = await world.ask()
    run.say("Shown")
    await shown(recording, "Shown")
    run.finish()
    follower = asyncio.create_task(heard(recording))
    while repository.away > 1_000 - 61:  # noqa: ASYNC110  # the turn says nothing of its tries
        await asyncio.sleep(0.001)
    assert not follower.done(), "nobody knows yet how it ends"
    repository.away = 0
    await repository.abandon_running()
    events = [event for _, event in await follower]
    assert failure(events).code == "interrupted"
    assert events[-1] == TurnEnded(state="interrupted")
    assert (await world.answer())[0][1] == "Shown"


async def test_a_turn_that_was_taken_over_keeps_only_what_was_durable(server: Server) -> None:
    first, second = await server(), await server()
    recording, run = await first.ask()
    run.say("Durable")
    await shown(recording, "Durable")
    first.journal.jammed.add(recording.turn.id)
    run.say(" and no more")
    await MemoryTurnRepository(first.store).abandon_running()
    await second.turns.close_stale(ALICE, second.conversation)
    assert await second.answer() == [("partial", "Durable")]
    run.finish()
    events = await ended(recording)
    assert text_of(events) == "Durable"
    assert failure(events).code == "interrupted"
    assert events[-1] == TurnEnded(state="interrupted")
    assert await second.answer() == [("partial", "Durable")]


async def test_a_turn_that_was_taken_over_is_stopped_by_the_journal(server: Server) -> None:
    first, second = await server(), await server()
    recording, run = await first.ask()
    run.say("Durable")
    await shown(recording, "Durable")
    kept = first.store.turn(ALICE, recording.turn.id)
    assert kept is not None
    kept[1].epoch += 1
    kept[1].renew(0)
    events = await ended(recording)
    assert failure(events).code == "interrupted"
    assert run.tidied_up
    assert text_of(events) == "Durable"
    assert second.agent.runs == []


async def test_the_next_question_takes_a_stale_turn_over(server: Server) -> None:
    first, second = await server(), await server()
    recording, run = await first.ask("one")
    run.say("Half")
    await shown(recording, "Half")
    first.journal.jammed.add(recording.turn.id)
    await MemoryTurnRepository(first.store).abandon_running()
    await second.answered("two", "Whole", new=False)
    contents = [(m.role, m.kind, m.content) for m in await second.messages()]
    assert contents == [
        ("user", "text", "one"),
        ("assistant", "partial", "Half"),
        ("user", "text", "two"),
        ("assistant", "text", "Whole"),
    ]


async def test_a_sweep_closes_every_stale_turn(server: Server) -> None:
    first, second = await server(), await server()
    recording, run = await first.ask("one")
    run.say("Half")
    await shown(recording, "Half")
    first.journal.jammed.add(recording.turn.id)
    repository = MemoryTurnRepository(first.store)
    await repository.abandon_running()
    assert await repository.stale() == ((ALICE, first.conversation),)
    await second.turns.sweep()
    assert await repository.stale() == ()
    assert await second.answer() == [("partial", "Half")]


async def test_a_server_that_stood_still_goes_on_and_sees_that_another_is_gone(
    store: Memory,
) -> None:
    async with (
        open_world(store, new_conversation_id(), lease=LEASE) as held,
        open_world(store, new_conversation_id(), lease=LEASE) as gone,
    ):
        await _stands_still(held, gone)


async def _stands_still(held: World, gone: World) -> None:
    recording, run = await held.ask("one")
    run.say("Half")
    await shown(recording, "Half")
    lost, lost_run = await gone.ask("two")
    lost_run.say("Lost")
    await shown(lost, "Lost")
    gone.journal.jammed.add(lost.turn.id)
    time.sleep(2 * LEASE)  # noqa: ASYNC251  # as a parser, a paused machine or SIGSTOP holds a loop
    await held.turns.sweep()
    with pytest.raises(Busy):
        await held.turns.ask(ALICE, question("three", held.conversation))
    run.finish(" and whole")
    assert (await ended(recording))[-1] == TurnEnded(state="completed")
    assert await held.answer() == [("text", "Half and whole")]
    assert await gone.answer() == [("partial", "Lost")]


class Late(MemoryTurnRepository):
    """Tells that a turn has begun when its lease has passed, and it may."""

    def __init__(self, store: Memory) -> None:
        super().__init__(store, lease=LEASE)
        self.passed, self.may_tell = asyncio.Event(), asyncio.Event()

    async def begin(
        self, request: TurnRequest, newest: int, room: int = MAX_PAGE
    ) -> Begun | Repeated:
        begun = await super().begin(request, newest, room)
        await asyncio.sleep(2 * LEASE)
        self.passed.set()
        await self.may_tell.wait()
        return begun


async def test_a_turn_that_only_begins_is_not_taken_for_lost(store: Memory) -> None:
    late = Late(store)
    async with open_world(store, new_conversation_id(), repository=late) as world:
        asking = asyncio.create_task(world.ask())
        await late.passed.wait()
        await world.turns.sweep()
        late.may_tell.set()
        recording, run = await asking
        run.finish("Whole")
        assert (await ended(recording))[-1] == TurnEnded(state="completed")


async def test_a_deleted_conversation_ends_its_turn_and_tells_viewers(world: World) -> None:
    recording, run = await world.ask()
    run.say("Soon gone")
    await shown(recording, "Soon gone")
    await world.history.delete(ALICE, world.conversation)
    events = await ended(recording)
    assert failure(events).code == "conversation_deleted"
    assert events[-1] == TurnEnded(state="interrupted")
    assert run.tidied_up
    with pytest.raises(NotFound):
        await world.history.get(ALICE, world.conversation)


async def test_a_conversation_deleted_elsewhere_ends_its_turn_too(server: Server) -> None:
    here, elsewhere = await server(), await server()
    recording, run = await here.ask()
    run.say("Soon gone")
    await shown(recording, "Soon gone")
    await elsewhere.history.delete(ALICE, here.conversation)
    assert failure(await ended(recording)).code == "conversation_deleted"
    assert run.tidied_up


async def test_a_shutdown_ends_turns_as_interrupted_and_tells_viewers(store: Memory) -> None:
    async with open_world(store, new_conversation_id()) as world:
        recording, run = await world.ask()
        run.say("Until here")
        await shown(recording, "Until here")
    events = await ended(recording)
    assert failure(events).code == "interrupted"
    assert events[-1] == TurnEnded(state="interrupted")
    assert run.tidied_up
    async with open_world(store, world.conversation) as later:
        assert await later.answer() == [("partial", "Until here")]
        assert await MemoryTurnRepository(store).stale() == ()


async def test_a_shutdown_gives_turns_time_to_end(store: Memory) -> None:
    async with open_world(store, new_conversation_id(), drain=PATIENCE) as world:
        recording, run = await world.ask()
        run.say("Nearly")
        await shown(recording, "Nearly")
        stopping = asyncio.create_task(world.turns.stop())
        await asyncio.sleep(0)
        run.finish(" done")
        async with asyncio.timeout(PATIENCE / 2):
            await stopping
    assert (await ended(recording))[-1] == TurnEnded(state="completed")


async def test_a_server_that_stops_begins_nothing(server: Server) -> None:
    world = await server()
    await world.turns.stop()
    with pytest.raises(Unavailable):
        await world.turns.ask(ALICE, question("late", world.conversation), new=True)
    with pytest.raises(NotFound):
        await world.history.get(ALICE, world.conversation)


async def test_five_at_once_and_one_wins(world: World) -> None:
    await world.answered("first", "answer")
    asked = [question(f"n{n}", world.conversation) for n in range(5)]
    results = await asyncio.gather(
        *(world.turns.ask(ALICE, message) for message in asked), return_exceptions=True
    )
    (recording,) = [r for r in results if isinstance(r, Recording)]
    assert [r.code for r in results if isinstance(r, Conflict)] == ["turn_running"] * 4
    (await world.agent.next_run(ALICE)).finish("ok")
    await ended(recording)
    assert world.agent.runs == []
    assert len(await world.messages()) == 4


async def test_a_late_follower_sees_everything(world: World) -> None:
    recording, run = await world.ask()
    run.finish("One ", "two ", "three.")
    early = await heard(recording)
    assert await heard(recording) == early
    assert [number for number, _ in early] == list(range(1, len(early) + 1))


async def test_a_follower_at_a_cursor_sees_the_rest_without_gap_or_duplicate(world: World) -> None:
    recording, run = await world.ask()
    run.say("One ")
    await shown(recording, "One ")
    seen: list[tuple[int, TurnEvent]] = []
    follower = recording.show()
    async with asyncio.timeout(PATIENCE):
        while not text_of([e for _, e in seen]):
            seen.append(await anext(follower))
    await follower.aclose()
    whole = asyncio.create_task(heard(recording))
    rest = asyncio.create_task(heard(recording, after=seen[-1][0]))
    for word in ("two ", "three ", "four "):
        run.say(word)
        await shown(recording, text_of(recording.events))
    run.finish("five.")
    assert seen + await rest == await whole
    assert text_of([e for _, e in await whole]) == "One two three four five."


async def test_nobody_sees_what_is_not_durable(world: World) -> None:
    recording, run = await world.ask()
    run.say("Durable")
    await shown(recording, "Durable")
    world.journal.jammed.add(recording.turn.id)
    follower = recording.show()
    run.say("not yet")
    await run.taken_down()
    recording.seal()
    assert text_of(recording.events) == "Durablenot yet"
    async with asyncio.timeout(PATIENCE):
        seen = [(await anext(follower))[1] for _ in range(recording.kept)]
    assert text_of(seen) == "Durable"
    await follower.aclose()
    run.finish()
    assert text_of(await ended(recording)) == "Durablenot yet"


async def test_a_title_is_given_once(world: World) -> None:
    recording = await world.answered("Plan my holidays", "Gladly.")
    assert [e for e in await ended(recording) if isinstance(e, Titled)] == [
        Titled(title="Plan my holidays")
    ]
    later = await world.answered("And now something else", "Well.", new=False)
    assert not [e for e in await ended(later) if isinstance(e, Titled)]
    kept = await world.history.get(ALICE, world.conversation)
    assert kept.title == "Plan my holidays"


async def test_a_persons_title_wins(world: World) -> None:
    recording, run = await world.ask("Plan my holidays")
    run.say("Gladly")
    await shown(recording, "Gladly")
    await world.history.rename(ALICE, world.conversation, "Summer")
    run.finish()
    await ended(recording)
    assert (await world.history.get(ALICE, world.conversation)).title == "Summer"


async def test_a_retry_replaces_the_answer_once_it_is_complete(world: World) -> None:
    await world.answered("one", "old")
    subject = (await world.messages())[0]
    recording = await world.turns.retry(ALICE, world.conversation, subject.id)
    run = await world.agent.next_run(ALICE)
    assert [m.content for m in run.request.window] == ["one"]
    run.say("new")
    await shown(recording, "new")
    assert await world.answer() == [("text", "old"), ("partial", "new")]
    run.finish()
    await ended(recording)
    assert await world.answer() == [("text", "new")]


async def test_a_failed_retry_leaves_the_old_answer(world: World) -> None:
    await world.answered("one", "old")
    subject, answer = await world.messages()
    recording = await world.turns.retry(ALICE, world.conversation, subject.id)
    run = await world.agent.next_run(ALICE)
    run.say("new")
    run.fail(AgentFailed("No."))
    await ended(recording)
    assert await world.messages() == [subject, answer]
    with pytest.raises(Invalid):
        await world.turns.retry(ALICE, world.conversation, answer.id)


async def test_parallel_calls_are_kept_in_one_message(world: World) -> None:
    recording, run = await world.ask()
    first = run.start_call("add_task")
    second = run.start_call("list_tasks", first.message_id)
    run.end_call(second, "[]")
    run.end_call(first, "No.", "failed")
    run.finish("There.")
    events = await ended(recording)
    assert len([e for e in events if isinstance(e, ToolCallStarted)]) == 2
    _, step, said = await world.messages()
    assert [(c.name, c.state, c.output) for c in step.tool_calls] == [
        ("add_task", "failed", "No."),
        ("list_tasks", "succeeded", "[]"),
    ]
    assert said.content == "There."


async def test_an_ended_turn_leaves_nothing_behind(world: World) -> None:
    before = asyncio.all_tasks()
    await world.answered("one", "two")
    left = asyncio.all_tasks() - before
    if left:
        _, left = await asyncio.wait(left, timeout=PATIENCE)
    assert not left
    assert not await world.turns.cancel(ALICE, world.conversation)
