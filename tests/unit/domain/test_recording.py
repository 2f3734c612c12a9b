import asyncio
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path

import pytest

from chatbridge.domain.model import refusals
from chatbridge.domain.model.errors import TurnLost
from chatbridge.domain.model.identifiers import CallId, MessageId, TurnId
from chatbridge.domain.model.turn import Turn
from chatbridge.domain.model.turn_event import (
    TextDelta,
    Titled,
    ToolCallStarted,
    TurnEnded,
    TurnEvent,
    TurnFailed,
)
from chatbridge.domain.services.recording import OutOfOrder, Recording, RecordingState
from tests.contracts.store import call, conversation, message, said

TURN = Turn(id=TurnId("turn_1"), conversation=conversation())
TITLES = (Titled(title="One"), Titled(title="Two"), Titled(title="Three"))
GONE = TurnLost("Gone.")
DONE = TurnEnded(state="completed")
PATIENCE = 5.0


def speaking(*events: TurnEvent) -> Recording:
    made = Recording(TURN)
    for event in events or TITLES:
        made.say(event)
        made.seal()
    return made


def closing() -> Recording:
    made = speaking()
    made.close(DONE)
    return made


def copying() -> Recording:
    return Recording(TURN, copied=True)


def ended() -> Recording:
    made = closing()
    made.end()
    return made


MADE: dict[RecordingState, Callable[[], Recording]] = {
    "speaking": speaking,
    "closing": closing,
    "copying": copying,
    "ended": ended,
}

TRANSITIONS: dict[str, tuple[Callable[[Recording], None], dict[RecordingState, RecordingState]]] = {
    "say": (lambda r: r.say(TITLES[0]), {"speaking": "speaking"}),
    "seal": (lambda r: r.seal(), {"speaking": "speaking"}),
    "keep": (lambda r: r.keep(1), {"speaking": "speaking"}),
    "refuse": (lambda r: r.refuse(refusals.not_kept()), {"speaking": "closing"}),
    "close": (lambda r: r.close(DONE), {"speaking": "closing"}),
    "lose": (lambda r: r.lose(GONE), {"speaking": "copying", "closing": "copying"}),
    "copy": (lambda r: r.copy(TITLES), {"copying": "copying"}),
    "end": (lambda r: r.end(), {"closing": "ended", "copying": "ended"}),
}


@pytest.mark.parametrize("state", MADE)
@pytest.mark.parametrize("name", TRANSITIONS)
def test_each_change_is_made_in_its_states_and_refused_in_all_others(
    name: str, state: RecordingState
) -> None:
    change, allowed = TRANSITIONS[name]
    recording = MADE[state]()
    before = (recording.events, recording.kept)
    if state in allowed:
        change(recording)
        assert recording.state == allowed[state]
    else:
        with pytest.raises(OutOfOrder):
            change(recording)
        assert (recording.state, recording.events, recording.kept) == (state, *before)


@pytest.mark.parametrize("where", ["the class", "docs/architecture.md"])
def test_the_documented_table_is_the_code_s(where: str) -> None:
    """Each row: the change, from which states, to which."""
    docs = Path(__file__).parents[3] / "docs" / "architecture.md"
    text = (Recording.__doc__ or "") if where == "the class" else docs.read_text()
    rows = [line.split() for line in text.splitlines() if "-> " in line and line.count("  ") > 1]
    told = {row[0]: " ".join(row[1:]) for row in rows if row[0] in TRANSITIONS}
    assert set(told) == set(TRANSITIONS)
    for name, (_, allowed) in TRANSITIONS.items():
        (to,) = set(allowed.values())
        assert told[name].startswith(f"{', '.join(allowed)} -> {to} "), name


def test_a_new_recording_has_nothing_kept() -> None:
    assert speaking().kept == 0
    assert speaking().tail == tuple(enumerate(TITLES, 1))


def test_the_tail_is_what_is_not_kept_yet() -> None:
    made = speaking()
    made.keep(2)
    assert made.tail == ((3, TITLES[2]),)
    made.keep(3)
    assert made.tail == ()
    made.say(TITLES[0])
    assert made.tail == ((4, TITLES[0]),)


def test_what_is_kept_stays_kept() -> None:
    made = speaking()
    made.keep(3)
    made.keep(1)
    assert made.kept == 3


def test_a_reader_sees_what_is_kept_of_a_message() -> None:
    made = speaking(*said("says_1", "Hel", "lo", finished=False))
    made.keep(2)
    assert [m.content for m in made.shown.said] == ["Hel"]


def words(*texts: str, of: str = "says_1") -> tuple[TextDelta, ...]:
    return tuple(TextDelta(message_id=MessageId(of), text=text) for text in texts)


def test_words_are_one_event_until_they_are_to_be_kept() -> None:
    start, *_ = said("says_1")
    made = speaking(start)
    for word in words("Hel", "lo"):
        made.say(word)
    assert made.tail == ((1, start),)
    made.seal()
    assert made.tail == ((1, start), (2, *words("Hello")))
    made.say(*words(" you"))
    made.seal()
    assert made.tail[1:] == ((2, *words("Hello")), (3, *words(" you")))


@pytest.mark.parametrize(
    "between", [Titled(title="T"), ToolCallStarted(message_id=MessageId("t"), call=call())]
)
def test_words_are_never_joined_across_something_else(between: TurnEvent) -> None:
    made = Recording(TURN)
    for event in (*words("a", "b"), between, *words("c", "d"), *words("x", of="says_2")):
        made.say(event)
    made.close(DONE)
    assert made.events == (*words("ab"), between, *words("cd"), *words("x", of="says_2"), DONE)


def test_first_words_and_calls_are_waited_for() -> None:
    made = Recording(TURN)
    awaited: list[bool] = []
    for event in (
        Titled(title="T"),
        *said("says_1", "a", "b"),
        ToolCallStarted(message_id=MessageId("t"), call=call()),
        *said("says_2", "c", finished=False),
    ):
        made.say(event)
        awaited.append(made.is_awaited)
    assert awaited == [False, False, True, False, False, True, False, True]
    made.seal()
    made.say(*words("d", of="says_2"))
    assert not made.is_awaited


def test_its_end_holds_the_tail_and_how_it_ended() -> None:
    made = speaking(*said("says_1", "Hi"))
    made.keep(2)
    made.close(TurnEnded(state="cancelled"))
    assert made.ending.state == "cancelled"
    assert [number for number, _ in made.ending.tail] == [3, 4]
    assert [m.content for m in made.ending.messages] == ["Hi"]


def test_last_words_without_an_end_are_no_end() -> None:
    made = speaking()
    made.close(TITLES[0])
    with pytest.raises(OutOfOrder):
        _ = made.ending


@pytest.mark.parametrize("lost_while", ["speaking", "closing"])
def test_what_nobody_kept_is_forgotten_with_the_turn(lost_while: RecordingState) -> None:
    made = speaking(*said("says_1", "Hel", finished=False))
    made.keep(2)
    made.say(TextDelta(message_id=MessageId("says_1"), text="lo"))
    made.say(Titled(title="Unseen"))
    if lost_while == "closing":
        made.close(DONE)
    made.lose(GONE)
    assert (made.kept, made.tail, made.lost) == (2, (), GONE)
    assert [m.content for m in made.shown.said] == ["Hel"]
    assert made.shown.title is None


def test_a_refusal_leaves_what_is_kept_and_says_why() -> None:
    made = speaking()
    made.keep(1)
    made.refuse(refusals.not_kept())
    failed = TurnFailed.because(refusals.not_kept())
    assert made.events == (TITLES[0], failed, TurnEnded(state="failed"))
    assert made.ending.state == "failed"


def test_a_copy_goes_on_where_it_was_lost() -> None:
    made = speaking(*said("says_1", "Hel", finished=False))
    made.keep(2)
    made.lose(GONE)
    made.copy([TextDelta(message_id=MessageId("says_1"), text="lo"), DONE])
    assert (made.kept, made.is_whole) == (4, True)
    assert [m.content for m in made.shown.said] == ["Hello"]


def test_a_person_s_stop_says_more_than_a_server_s() -> None:
    made = speaking()
    made.stop("cancelled")
    made.stop("interrupted")
    assert made.stopped_as == "cancelled"


@pytest.mark.parametrize("state", ["closing", "copying", "ended"])
def test_a_stop_comes_too_late_where_nobody_speaks(state: RecordingState) -> None:
    made = MADE[state]()
    made.stop("cancelled")
    assert made.stopped_as is None


@pytest.mark.parametrize("name", ["stop", "lose", "refuse"])
async def test_a_speaker_is_told_when_nobody_wants_to_hear_more(name: str) -> None:
    made = speaking()
    told = asyncio.create_task(made.until_hushed())
    made.say(TITLES[0])
    made.keep(4)
    await asyncio.sleep(0)
    assert not told.done()
    if name == "stop":
        made.stop("cancelled")
    else:
        TRANSITIONS[name][0](made)
    async with asyncio.timeout(PATIENCE):
        await told


async def test_a_call_may_run_when_its_start_is_kept() -> None:
    made = speaking(
        *(
            ToolCallStarted(message_id=MessageId("tools_1"), call=call(id, "running"))
            for id in ("call_1", "call_2")
        )
    )
    second = asyncio.create_task(made.until_kept(CallId("call_2")))
    made.keep(1)
    async with asyncio.timeout(PATIENCE):
        await made.until_kept(CallId("call_1"))
    assert not second.done()
    made.keep(2)
    async with asyncio.timeout(PATIENCE):
        await second


@pytest.mark.parametrize("name", ["lose", "refuse", "close"])
async def test_a_call_whose_turn_is_over_may_never_run(name: str) -> None:
    made = speaking()
    waiting = asyncio.create_task(made.until_kept(CallId("call_1")))
    await asyncio.sleep(0)
    TRANSITIONS[name][0](made)
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(TurnLost):
            await waiting


async def test_a_viewer_sees_each_event_once_it_is_kept_and_no_earlier() -> None:
    made = speaking()
    made.keep(1)
    async with asyncio.timeout(PATIENCE), aclosing(made.show()) as events:
        assert await anext(events) == (1, TITLES[0])
        coming = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0)
        assert not coming.done()
        made.keep(2)
        assert await coming == (2, TITLES[1])
        made.close(DONE)
        made.end()
        assert [number async for number, _ in events] == [3, 4]


async def test_a_viewer_may_come_at_any_number() -> None:
    async with asyncio.timeout(PATIENCE):
        assert [n async for n, _ in ended().show(after=2)] == [3, 4]
        assert [n async for n, _ in ended().show(after=9)] == []


def test_who_asks_again_names_what_it_answers() -> None:
    made = copying()
    made.name_subject(message("asks"))
    assert made.turn.subject == message("asks")
