import json
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbridge.domain.model.errors import Invalid
from chatbridge.domain.model.limits import MAX_CONTENT
from chatbridge.domain.model.message import (
    Kind,
    checked_content,
    cleaned,
    storable,
)
from tests.contracts.store import message

ANYTHING = st.text(st.characters(exclude_categories=()))


def test_texts_are_counted_and_nothing_else() -> None:
    counted = [kind for kind in get_args(Kind) if message("msg_1", kind=kind).counted]
    assert counted == ["text", "partial"]


@given(ANYTHING)
def test_cleaned_text_can_be_stored_and_is_as_long(text: str) -> None:
    assert storable(cleaned(text))
    assert len(cleaned(text)) == len(text)
    assert cleaned(cleaned(text)) == cleaned(text)


@given(ANYTHING)
def test_what_can_be_stored_is_utf_8_without_nul(text: str) -> None:
    try:
        encoded = text.encode()
    except UnicodeEncodeError:
        encoded = b"\0"
    assert storable(text) == (b"\0" not in encoded)


@given(st.text())
def test_cleaning_leaves_good_text_alone(text: str) -> None:
    assert cleaned(text) == text.replace("\0", "\ufffd")


@pytest.mark.parametrize("bad", [0, 0xD800, 0xDBFF, 0xDC00, 0xDFFF], ids=hex)
def test_what_no_database_holds_is_replaced(bad: int) -> None:
    assert cleaned(f"a{chr(bad)}b") == "a\ufffdb"


@pytest.mark.parametrize("good", [1, 0xD7FF, 0xE000, 0xFFFF, 0x10FFFF], ids=hex)
def test_their_neighbours_are_kept(good: int) -> None:
    assert cleaned(f"a{chr(good)}b") == f"a{chr(good)}b"


def test_a_pair_that_json_writes_as_surrogates_is_good_text() -> None:
    assert storable(json.loads('"\\ud83d\\udc4b"'))
    assert not storable(json.loads('"\\ud83d"'))


@pytest.mark.parametrize("text", ["hi", " hi\n", "👋", "x" * MAX_CONTENT, "👋" * MAX_CONTENT])
def test_what_a_person_says_is_taken_as_it_is(text: str) -> None:
    assert checked_content(text) == text


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty_text"),
        (" \n\t\u2003", "empty_text"),
        ("x" * (MAX_CONTENT + 1), "text_too_long"),
        ("a\0b", "invalid_text"),
        ("a\ud800b", "invalid_text"),
    ],
)
def test_what_can_not_be_said_is_refused_with_its_reason(text: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        checked_content(text)
    assert refused.value.code == code
