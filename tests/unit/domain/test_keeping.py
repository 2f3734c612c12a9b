import asyncio
from collections.abc import Callable, Sequence

import pytest

from chatbridge.domain.model import refusals
from chatbridge.domain.model.errors import Unavailable
from chatbridge.domain.model.identifiers import MessageId, TurnId
from chatbridge.domain.model.turn import Turn
from chatbridge.domain.model.turn_event import Titled, ToolCallStarted, TurnEnded
from chatbridge.domain.services.keeping import Keeper
from chatbridge.domain.services.recording import Recording
from chatbridge.ports.turn_journal import Entry, Outcome, TurnJournal
from tests.contracts.store import call, conversation, said

PATIENCE = 5.0


class Scripted(TurnJournal):
    """Answers what the test says for each turn, `kept` otherwise."""

    def __init__(self) -> None:
        self.calls: list[list[Entry]] = []
        self.outcomes: dict[TurnId, Outcome] = {}
        self.unkeepable: set[TurnId] = set()
        self.away = 0
        self.answering = asyncio.Event()
        self.answering.set()

    async def keep(self, entries: Sequence[Entry]) -> Sequence[Outcome]:
        self.calls.append(list(entries))
        await self.answering.wait()
        if self.away:
            self.away -= 1
            raise Unavailable("The database is away.")
        if self.unkeepable & {e.turn.id for e in entries}:
            raise refusals.not_kept()
        return [self.outcomes.get(e.turn.id, "kept") for e in entries]


@pytest.fixture
def journal() -> Scripted:
    return Scripted()


@pytest.fixture
def keeper(journal: Scripted) -> Keeper:
    return Keeper(journal, tick=0.001, heartbeat=0.02)


def opened(keeper: Keeper, id: str = "turn_1") -> Recording:
    recording = Recording(Turn(id=TurnId(id), conversation=conversation(f"conv_of_{id}")))
    keeper.open(recording)
    return recording


def say(keeper: Keeper, recording: Recording, title: str = "Hi") -> None:
    recording.say(Titled(title=title))
    keeper.wake(recording)


async def until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not happened():  # noqa: ASYNC110  # the keeper tells nobody of a tick
            await asyncio.sleep(0.001)


async def test_what_is_said_is_kept(keeper: Keeper) -> None:
    recording = opened(keeper)
    async with keeper.running():
        say(keeper, recording)
        await until(lambda: recording.kept == 1)


async def test_what_was_said_before_it_ran_is_kept_too(keeper: Keeper) -> None:
    recording = opened(keeper)
    say(keeper, recording)
    async with keeper.running():
        await until(lambda: recording.kept == 1)


async def test_nothing_counts_as_kept_before_the_store_has_answered(
    keeper: Keeper, journal: Scripted
) -> None:
    recording = opened(keeper)
    journal.answering.clear()
    async with keeper.running():
        say(keeper, recording, "One")
        await until(lambda: bool(journal.calls))
        say(keeper, recording, "Two")
        assert recording.kept == 0
        journal.answering.set()
        await until(lambda: recording.kept == 2)
    assert [n for n, _ in journal.calls[0][0].events] == [1]
    assert [n for n, _ in journal.calls[1][0].events] == [2]


async def test_a_heartbeat_keeps_the_lease_of_a_quiet_turn(
    keeper: Keeper, journal: Scripted
) -> None:
    opened(keeper)
    async with keeper.running():
        await until(lambda: len(journal.calls) > 2)
    assert all(entry.events == () for call in journal.calls for entry in call)


async def test_what_somebody_waits_for_is_kept_at_once_and_by_itself(journal: Scripted) -> None:
    keeper = Keeper(journal, tick=PATIENCE * 2, heartbeat=PATIENCE * 2)
    other, asked = opened(keeper, "turn_1"), opened(keeper, "turn_2")
    async with keeper.running():
        say(keeper, other)
        await until(lambda: other.kept == 1)
        for event in said("says_1", "First", " words", finished=False):
            asked.say(event)
            keeper.wake(asked)
        await until(lambda: asked.kept == 2)
        say(keeper, other)
        asked.say(ToolCallStarted(message_id=MessageId("tools_1"), call=call()))
        keeper.wake(asked)
        async with asyncio.timeout(PATIENCE):
            await asked.until_kept(call().id)
        assert other.kept == 1
    assert [[e.turn.id for e in entries] for entries in journal.calls] == [
        ["turn_1", "turn_2"],
        ["turn_2"],
        ["turn_2"],
    ]


async def test_an_outage_between_two_ticks_is_waited_for_too(
    keeper: Keeper, journal: Scripted
) -> None:
    recording = opened(keeper)
    async with keeper.running():
        say(keeper, recording)
        await until(lambda: recording.kept == 1)
        journal.away = 3
        recording.say(ToolCallStarted(message_id=MessageId("tools_1"), call=call()))
        keeper.wake(recording)
        await until(lambda: recording.kept == 2)


async def test_all_turns_are_kept_together_a_hundred_at_a_time(
    keeper: Keeper, journal: Scripted
) -> None:
    recordings = [opened(keeper, f"turn_{n}") for n in range(250)]
    for recording in recordings:
        say(keeper, recording)
    async with keeper.running():
        await until(lambda: all(r.kept for r in recordings))
    assert [len(entries) for entries in journal.calls[:3]] == [100, 100, 50]


async def test_an_outage_is_waited_for(keeper: Keeper, journal: Scripted) -> None:
    recording = opened(keeper)
    journal.away = 5
    async with keeper.running():
        say(keeper, recording)
        await until(lambda: recording.kept == 1)


async def test_a_locked_turn_is_kept_with_the_next_tick(keeper: Keeper, journal: Scripted) -> None:
    recording, other = opened(keeper), opened(keeper, "turn_2")
    journal.outcomes[recording.turn.id] = "busy"
    async with keeper.running():
        say(keeper, recording)
        say(keeper, other)
        await until(lambda: other.kept == 1)
        assert recording.kept == 0
        del journal.outcomes[recording.turn.id]
        await until(lambda: recording.kept == 1)


@pytest.mark.parametrize(
    ("outcome", "code"), [("taken_over", "turn_lost"), ("gone", "conversation_deleted")]
)
async def test_a_lost_turn_is_told_and_left_alone(
    keeper: Keeper, journal: Scripted, outcome: Outcome, code: str
) -> None:
    recording, other = opened(keeper), opened(keeper, "turn_2")
    journal.outcomes[recording.turn.id] = outcome
    async with keeper.running():
        say(keeper, recording)
        await until(lambda: recording.state == "copying")
        journal.calls.clear()
        say(keeper, other)
        await until(lambda: other.kept == 1)
    assert recording.lost is not None
    assert recording.lost.code == code
    assert all(e.turn.id != recording.turn.id for call in journal.calls for e in call)


async def test_a_stop_arrives_by_the_store(keeper: Keeper, journal: Scripted) -> None:
    recording = opened(keeper)
    journal.outcomes[recording.turn.id] = "stop_asked"
    async with keeper.running():
        say(keeper, recording)
        await until(lambda: recording.stopped_as == "cancelled")
    assert recording.kept == 1


async def test_one_bad_event_stalls_no_other_turn(
    keeper: Keeper, journal: Scripted, caplog: pytest.LogCaptureFixture
) -> None:
    culprit, *others = [opened(keeper, f"turn_{n}") for n in range(3)]
    journal.unkeepable.add(culprit.turn.id)
    async with keeper.running():
        for recording in (culprit, *others):
            say(keeper, recording)
        await until(lambda: all(r.kept == 1 for r in others))
        await until(lambda: culprit.state == "closing")
    assert culprit.ending.state == "failed"
    (told,) = [each for each in caplog.records if each.message == "an event can't be kept"]
    assert told.exc_info


async def test_an_answer_that_comes_too_late_changes_nothing(
    keeper: Keeper, journal: Scripted
) -> None:
    recording = opened(keeper)
    journal.answering.clear()
    async with keeper.running():
        say(keeper, recording)
        await until(lambda: bool(journal.calls))
        recording.close(TurnEnded(state="completed"))
        journal.answering.set()
        await asyncio.sleep(0.01)
    assert (recording.state, recording.kept) == ("closing", 0)


async def test_it_can_run_again_and_takes_its_task_along(keeper: Keeper) -> None:
    before = asyncio.all_tasks()
    recording = opened(keeper)
    for n in range(1, 4):
        async with keeper.running():
            say(keeper, recording)
            await until(lambda n=n: recording.kept == n)
        assert asyncio.all_tasks() <= before


async def test_an_error_of_whoever_runs_it_goes_through(keeper: Keeper) -> None:
    before = asyncio.all_tasks()
    with pytest.raises(LookupError, match="the caller's own"):
        async with keeper.running():
            raise LookupError("the caller's own")
    assert asyncio.all_tasks() <= before
