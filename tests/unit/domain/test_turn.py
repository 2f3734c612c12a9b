from chatbridge.domain.model.identifiers import TurnId
from chatbridge.domain.model.transcript import Transcript
from chatbridge.domain.model.turn import Ending, Turn
from chatbridge.domain.model.turn_event import Titled, TokensUsed
from chatbridge.domain.model.usage import Usage
from tests.contracts.store import C1, conversation, said

TURN = Turn(id=TurnId("turn_1"), conversation=conversation())


def test_a_turn_that_begins_has_the_first_epoch_and_is_no_retry() -> None:
    assert (TURN.epoch, TURN.retry, TURN.subject) == (1, False, None)


def test_an_end_holds_what_its_transcript_holds() -> None:
    cost = TokensUsed(input_tokens=3, output_tokens=1)
    transcript = Transcript(C1, (*said("says_1", "Hi"), Titled(title="Greetings"), cost))
    end = Ending.of(transcript, "completed", ((5, cost),))
    assert [m.content for m in end.messages] == ["Hi"]
    assert (end.title, end.usage) == ("Greetings", Usage(input_tokens=3, output_tokens=1))
    assert (end.state, end.tail) == ("completed", ((5, cost),))
