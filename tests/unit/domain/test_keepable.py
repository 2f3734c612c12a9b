import pytest

from chatbridge.domain.model.errors import AgentFailed
from chatbridge.domain.model.identifiers import MessageId
from chatbridge.domain.model.keepable import keepable
from chatbridge.domain.model.limits import MAX_DATA, MAX_EVENT
from chatbridge.domain.model.turn_event import Changed, Revised, Told
from tests.contracts.store import said


def test_what_no_database_holds_is_replaced_at_all_depths() -> None:
    bad = {"a\0": [{"b": "\ud800", "c": None}, 1.5], "d": "fine"}
    assert keepable(Told(payload=bad)) == Told(
        payload={"a\ufffd": [{"b": "\ufffd", "c": None}, 1.5], "d": "fine"}
    )
    assert keepable(Revised(title="\0", metadata={"m": "\0"})) == Revised(
        title="\ufffd", metadata={"m": "\ufffd"}
    )
    start, delta, _ = said("says_1", "a\0b")
    assert keepable(delta) == said("says_1", "a\ufffdb")[1]
    assert keepable(start) is start


def test_what_can_be_kept_is_the_same_object() -> None:
    change = Changed(message_id=MessageId("w_1"), payload={"a": [1, {"b": "ü"}]})
    assert keepable(change) is change


def test_more_than_can_be_shown_at_once_is_refused_in_words() -> None:
    picture = "A" * (MAX_EVENT - 100)
    assert keepable(Told(payload={"url": picture}))
    with pytest.raises(AgentFailed) as raised:
        keepable(Told(payload={"url": [picture, "A" * 200]}))
    assert raised.value.code == "shown_too_large"


def test_more_metadata_than_a_list_of_conversations_can_hold_is_refused_in_words() -> None:
    text = "A" * (MAX_DATA - 10)
    assert keepable(Revised(metadata={"a": text}))
    assert keepable(Revised(title="B"))
    with pytest.raises(AgentFailed) as raised:
        keepable(Revised(metadata={"a": [text, {"b": "A" * 20}]}))
    assert raised.value.code == "metadata_too_large"
