"""Names that models write, and ids that every endpoint takes."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbridge.adapters.openai.names import apart, meant_name, permitted_name, short_id
from chatbridge.domain.model.identifiers import new_call_id

KNOWN = {"add_task", "list_tasks", "json"}


@pytest.mark.parametrize(
    "written",
    [
        "add_task",
        "functions.add_task",
        "default_api:add_task",
        "default_api.add_task",
        "tools/add_task",
        "functions::add_task",
        "mcp__tasks__add_task",
        "functions.add_task:0",
        "add_task<|channel|>commentary",
        "add_task<|channel|>json",
        "<|channel|>commentary to=functions.add_task<|constrain|>json",
        "assistant to=functions.add_task code",
        "<add_task>",
        "<function=add_task>",
        "add_task()",
        " add_task\n",
        '"add_task"',
        "add task",
        "Add_Task",
        "ADD_TASK",
        "addTask",
        "add-task",
        "functions.AddTask",
    ],
)
def test_a_known_name_is_meant_whatever_stands_around_it(written: str) -> None:
    assert meant_name(written, KNOWN) == "add_task"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("", "unnamed"),
        ("tasks.add task!", "tasks_add_task_"),
        ("添加", "__"),
        ("a" * 100, "a" * 64),
        ("add_task.delete", "add_task_delete"),
        ("my_add_task", "my_add_task"),
        ("tools of weather", "tools_of_weather"),
    ],
)
def test_an_unknown_name_is_said_in_permitted_letters(written: str, said: str) -> None:
    assert meant_name(written, KNOWN) == said


def test_of_two_names_that_differ_by_their_case_neither_is_guessed() -> None:
    assert meant_name("ADD_TASK", {"add_task", "Add_Task"}) == "ADD_TASK"
    assert meant_name("Add_Task", {"add_task", "Add_Task"}) == "Add_Task"


@given(st.text())
def test_every_name_becomes_a_permitted_one_and_that_stays(written: str) -> None:
    name = permitted_name(written)
    assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name)
    assert permitted_name(name) == name


@given(st.lists(st.sampled_from(["a", "a_2", "添", "规", "x" * 70]) | st.text(), max_size=8))
def test_names_stay_apart_whatever_becomes_of_them(names: list[str]) -> None:
    found = apart(names)
    assert len({*found}) == len(names)
    assert [permitted_name(name) for name in found] == found


def test_a_short_id_is_always_the_same_and_gives_way_where_it_is_taken() -> None:
    id = new_call_id()
    first = short_id(id)
    second = short_id(id, {first})
    assert short_id(id) == first != second
    assert all(re.fullmatch(r"[A-Za-z0-9]{9}", short) for short in (first, second))
