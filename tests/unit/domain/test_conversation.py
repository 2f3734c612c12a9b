import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbridge.domain.model.conversation import checked_title, title_from
from chatbridge.domain.model.errors import Invalid
from chatbridge.domain.model.limits import MAX_TITLE
from tests.contracts.store import conversation


def test_a_conversation_begins_active_and_without_a_title() -> None:
    begun = conversation()
    assert (begun.status, begun.title, dict(begun.metadata)) == ("active", None, {})


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Buy milk", "Buy milk"),
        ("  Buy milk \n and bread", "Buy milk"),
        ("\n\r\n \t\nBuy milk", "Buy milk"),
        ("x" * 60, "x" * 60),
        ("x" * 61, "x" * 60 + "…"),
        ("word " * 20, "word " * 11 + "word…"),
        ("What is this, and that, and what, then, is it good for, my friend?",
         "What is this, and that, and what, then, is it good for, my…"),
        ("One two three four five six seven eight nine ten eleven, twelve",
         "One two three four five six seven eight nine ten eleven…"),
        ("", "New conversation"),
        (" \n ", "New conversation"),
        ("Grüße 👋🏽", "Grüße 👋🏽"),
    ],
)  # fmt: skip
def test_a_title_is_made_of_the_first_line(text: str, title: str) -> None:
    assert title_from(text) == title


@given(st.text())
def test_a_made_title_is_one_short_line_that_a_person_might_have_given(text: str) -> None:
    title = title_from(text)
    assert 1 <= len(title) <= 61
    assert len(title.splitlines()) == 1
    assert title == title.strip()


@pytest.mark.parametrize("title", ["T", "T" * MAX_TITLE, "👋" * MAX_TITLE])
def test_a_person_may_give_any_title_of_fair_length(title: str) -> None:
    assert checked_title(f"  {title}\n") == title


@pytest.mark.parametrize(
    ("title", "code"),
    [
        ("", "invalid_title"),
        (" \n", "invalid_title"),
        ("T" * (MAX_TITLE + 1), "invalid_title"),
        ("a\0b", "invalid_text"),
        ("a\ud800b", "invalid_text"),
    ],
)
def test_a_title_that_can_not_be_is_refused(title: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        checked_title(title)
    assert refused.value.code == code
