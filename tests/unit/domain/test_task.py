import pytest

from chatbridge.domain.model.errors import Invalid
from chatbridge.domain.model.limits import MAX_TASK_TITLE
from chatbridge.domain.model.task import checked_task_title


@pytest.mark.parametrize("title", ["T", "T" * MAX_TASK_TITLE, "Milch für 👧🏽"])
def test_a_task_may_be_called_anything_of_fair_length(title: str) -> None:
    assert checked_task_title(f" {title}\n") == title


@pytest.mark.parametrize(
    ("title", "code"),
    [
        ("", "invalid_task"),
        (" \t", "invalid_task"),
        ("T" * (MAX_TASK_TITLE + 1), "invalid_task"),
        ("a\0b", "invalid_text"),
        ("a\udfffb", "invalid_text"),
    ],
)
def test_a_title_that_can_not_be_is_refused(title: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        checked_task_title(title)
    assert refused.value.code == code
