from chatbridge.domain.model.errors import TurnLost
from chatbridge.domain.model.identifiers import MessageId, TurnId
from chatbridge.domain.model.turn import Recording, Turn
from chatbridge.domain.model.turn_event import TextDelta, Titled, ToolCallStarted
from tests.contracts.store import call, conversation, said

TURN = Turn(id=TurnId("turn_1"), conversation=conversation())
TITLES = (Titled(title="One"), Titled(title="Two"), Titled(title="Three"))


def recording() -> Recording:
    made = Recording(TURN)
    for title in TITLES:
        made.say(title)
    return made


def test_a_turn_that_begins_has_the_first_epoch_and_is_no_retry() -> None:
    assert (TURN.epoch, TURN.retry, TURN.subject) == (1, False, None)


def test_a_new_recording_has_nothing_durable() -> None:
    assert recording().durable == 0
    assert recording().tail == list(enumerate(TITLES, 1))


def test_the_tail_is_what_is_not_durable_yet() -> None:
    made = recording()
    made.durable_to(2)
    assert made.tail == [(3, TITLES[2])]
    made.durable_to(3)
    assert made.tail == []
    made.say(TITLES[0])
    assert made.tail == [(4, TITLES[0])]


def test_what_is_durable_stays_durable() -> None:
    made = recording()
    made.durable_to(3)
    made.durable_to(1)
    assert made.durable == 3


def test_a_recording_that_was_taken_over_goes_on_where_it_was() -> None:
    taken = Recording(TURN, said("says_1", "Hel", finished=False))
    assert (taken.durable, taken.tail) == (2, [])
    taken.say(TextDelta(message_id=MessageId("says_1"), text="lo"))
    assert [number for number, _ in taken.tail] == [3]
    assert [m.content for m in taken.transcript.messages] == ["Hello"]


def test_every_change_that_a_viewer_waits_for_is_told() -> None:
    made = recording()
    told: list[str] = []
    made.on_change = lambda: told.append("changed")
    made.say(TITLES[0])
    assert told == [], "nobody may see what is not durable"
    for change in (lambda: made.durable_to(1), made.ask_cancel, made.end):
        change()
    made.lose(TurnLost("Gone."))
    assert told == ["changed"] * 4


def test_a_change_is_in_place_when_it_is_told() -> None:
    made = recording()
    seen: list[object] = []
    made.on_change = lambda: seen.append((made.durable, made.cancel_asked, made.ended))
    made.durable_to(2)
    made.ask_cancel()
    made.end()
    assert seen == [(2, False, False), (2, True, False), (2, True, True)]


def test_a_call_may_run_when_its_start_is_durable() -> None:
    made = Recording(TURN)
    for id in ("call_1", "call_2"):
        made.say(ToolCallStarted(message_id=MessageId("tools_1"), call=call(id, "running")))
    made.durable_to(1)
    assert made.is_durable("call_1")
    assert not made.is_durable("call_2")
    assert not made.is_durable("call_3")


def test_what_is_not_durable_can_be_taken_back() -> None:
    made = Recording(TURN, said("says_1", "Hel", finished=False))
    made.say(TextDelta(message_id=MessageId("says_1"), text="lo"))
    made.say(Titled(title="Unseen"))
    made.forget_tail()
    assert (made.durable, made.tail) == (2, [])
    assert [m.content for m in made.transcript.messages] == ["Hel"]
    assert made.transcript.title is None
