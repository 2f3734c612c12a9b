from base64 import urlsafe_b64encode
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbridge.domain.model.errors import Invalid
from chatbridge.domain.model.page import (
    Page,
    PageRequest,
    activity_cursor,
    read_activity_cursor,
)

MOMENTS = st.datetimes(timezones=st.just(UTC))
IDS = st.text().filter(lambda id: "\0" not in id)


def encoded(text: bytes) -> str:
    return urlsafe_b64encode(text).decode()


@pytest.mark.parametrize("limit", [1, 20, 100])
def test_a_page_holds_one_to_a_hundred(limit: int) -> None:
    assert PageRequest(limit=limit).limit == limit


@pytest.mark.parametrize("limit", [-1, 0, 101, 10**9])
def test_any_other_limit_is_refused(limit: int) -> None:
    with pytest.raises(Invalid) as refused:
        PageRequest(limit=limit)
    assert refused.value.code == "invalid_limit"


def test_a_page_is_the_last_unless_it_says_otherwise() -> None:
    assert Page((1, 2)).next is None


@given(MOMENTS, IDS)
def test_a_cursor_reads_back_to_the_microsecond(moment: datetime, id: str) -> None:
    cursor = activity_cursor(moment, id)
    assert read_activity_cursor(cursor) == (moment, id)
    assert cursor.isascii()
    assert not set(cursor) & set("+/=& ")


def test_a_cursor_is_the_same_whatever_the_zone() -> None:
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    east = noon.astimezone(timezone(timedelta(hours=9)))
    assert activity_cursor(east, "a") == activity_cursor(noon, "a")


def test_an_id_may_hold_a_colon() -> None:
    cursor = activity_cursor(datetime(2026, 1, 1, tzinfo=UTC), "a:b")
    assert read_activity_cursor(cursor)[1] == "a:b"


@pytest.mark.parametrize(
    "cursor",
    ["", "!", "é", "a", "conv_1", *map(encoded, (
        b"x", b":", b"x:a", b"1", b"\xff\xfe:a", b"1:a\0b",
        b"9999999999999999999999:a", b"-9999999999999999999999:a", b"9" * 5_000 + b":a",
    ))],
)  # fmt: skip
def test_anything_else_is_refused(cursor: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_activity_cursor(cursor)
    assert refused.value.code == "invalid_cursor"


@given(st.text() | st.binary().map(encoded))
def test_no_text_breaks_the_reader(cursor: str) -> None:
    with suppress(Invalid):
        assert read_activity_cursor(cursor)[0].tzinfo is UTC


@pytest.mark.parametrize("after", ["a\0", "\ud800"])
def test_a_page_is_not_asked_for_after_what_no_database_holds(after: str) -> None:
    with pytest.raises(Invalid) as refused:
        PageRequest(after=after)
    assert refused.value.code == "invalid_cursor"
