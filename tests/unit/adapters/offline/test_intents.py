"""What the offline model understands."""

import sys
from types import FrameType

import pytest

from chatbridge.adapters.offline.intents import (
    AddTask,
    CompleteTask,
    DeleteTask,
    ListTasks,
    RehearseFailure,
    RehearseLength,
    RehearseTool,
    Talk,
    UpdateTask,
    understand,
)

MOST_STEPS = 12_000


@pytest.mark.parametrize(
    "text",
    [
        "add buy milk",
        "Add a task: buy milk",
        "add task buy milk.",
        'add "buy milk" to my list',
        "Please create a task to buy milk",
        "create a new task called buy milk",
        "new task: buy milk",
        "remind me to buy milk",
        "I need to buy milk",
        "I have to buy milk",
        "don't let me forget to buy milk",
        "don\u2019t forget to buy milk",
        "put buy milk on my list",
        "todo: buy milk",
        "could you please add buy milk to my to-do list?",
        "note down: buy milk",
        "hi, can you add buy milk, please",
        "I'd like you to add buy milk",
    ],
)
def test_adding_is_understood(text: str) -> None:
    assert understand(text) == (AddTask("buy milk"),)


@pytest.mark.parametrize(
    "text",
    [
        "list tasks",
        "list my tasks",
        "Show me my tasks",
        "what are my tasks?",
        "What's on my list?",
        "what do I have to do today?",
        "what's left?",
        "which tasks are open?",
        "tasks",
        "my to-do list",
        "show me everything",
        "do I have any tasks?",
        "how many tasks do I have",
        "what should I do?",
        "please list all my open tasks",
    ],
)
def test_listing_is_understood(text: str) -> None:
    assert understand(text) == (ListTasks(),)


@pytest.mark.parametrize(
    "text",
    [
        "update task 2 to buy bread",
        'rename task 2 to "buy bread"',
        "change the title of task 2 to buy bread",
        "edit task 2: buy bread",
        "set #2 to buy bread",
        "task 2 should be buy bread",
        "task 2 should say buy bread",
        "replace task 2 with buy bread",
        "please call task 2 buy bread",
        "update 2 -> buy bread",
        "reword the second task as buy bread",
        "can you rename number 2 to buy bread?".replace("?", ""),
    ],
)
def test_updating_is_understood(text: str) -> None:
    assert understand(text) == (UpdateTask(2, "buy bread"),)


@pytest.mark.parametrize(
    "text",
    [
        "complete task 2",
        "complete 2",
        "finish task 2!",
        "mark task 2 as done",
        "mark #2 complete",
        "task 2 is done",
        "I finished task 2",
        "I've done task two",
        "tick off task 2",
        "check off 2",
        "I\u2019m done with task 2",
        "set task 2 to done",
        "Thanks! Now complete task number 2, please",
    ],
)
def test_completing_is_understood(text: str) -> None:
    assert understand(text) == (CompleteTask(2),)


@pytest.mark.parametrize(
    "text",
    [
        "delete task 2",
        "remove 2",
        "drop task 2",
        "cancel task 2",
        "erase task number 2",
        "get rid of task 2",
        "scratch the second task",
        "take task 2 off my list",
        "throw task 2 away",
        "I don't need task 2 anymore",
        "forget about task 2",
        "task 2 can go",
    ],
)
def test_deleting_is_understood(text: str) -> None:
    assert understand(text) == (DeleteTask(2),)


@pytest.mark.parametrize(
    ("text", "intents"),
    [
        ("complete buy milk", (CompleteTask("buy milk"),)),
        ("mark the milk task as done", (CompleteTask("milk"),)),
        ('delete "Call Dr. Who"', (DeleteTask("Call Dr. Who"),)),
        ("remove buy milk from my list", (DeleteTask("buy milk"),)),
        ("rename buy milk to buy oat milk", (UpdateTask("buy milk", "buy oat milk"),)),
        ("complete tasks 1, 2 and 3", (CompleteTask(1), CompleteTask(2), CompleteTask(3))),
        ("delete all tasks", (DeleteTask("all"),)),
    ],
)
def test_tasks_are_found_by_title_and_in_numbers(text: str, intents: tuple[object, ...]) -> None:
    assert understand(text) == intents


@pytest.mark.parametrize(
    ("text", "intents"),
    [
        ("add buy milk and complete task 2", (AddTask("buy milk"), CompleteTask(2))),
        ("add tea, then list my tasks", (AddTask("tea"), ListTasks())),
        ("add tea and add milk", (AddTask("tea"), AddTask("milk"))),
        ("delete tea. Add milk.", (DeleteTask("tea"), AddTask("milk"))),
        ("complete tea and delete milk", (CompleteTask("tea"), DeleteTask("milk"))),
        ('add "tea and add milk"; list tasks', (AddTask("tea and add milk"), ListTasks())),
    ],
)
def test_one_message_may_hold_several_wishes(text: str, intents: tuple[object, ...]) -> None:
    assert understand(text) == intents


@pytest.mark.parametrize(
    "title",
    [
        "Call Dr. Who?",
        "buy Oat Milk & eggs",
        "call mum and finish report",
        "a, b and c",
        "日本語 ✓",
    ],
)
def test_a_title_is_taken_as_it_is(title: str) -> None:
    assert understand(f"add a task: {title}") == (AddTask(title),)


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("rehearse a failing tool", RehearseTool("fail")),
        ("Please rehearse a slow tool", RehearseTool("slow", 3)),
        ("rehearse a slow tool for 5 seconds", RehearseTool("slow", 5)),
        ("rehearse a crashing tool", RehearseTool("crash")),
        ("rehearse a failing model.", RehearseFailure()),
        ("rehearse a long answer", RehearseLength(200)),
        ("rehearse a long answer of 50 words", RehearseLength(50)),
    ],
)
def test_rehearsals_are_understood(text: str, intent: object) -> None:
    assert understand(text) == (intent,)


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("Hello!", "hello"),
        ("hello, how are you?", "how"),
        ("thanks a lot!", "thanks"),
        ("Bye bye", "bye"),
        ("who are you?", "who"),
        ("what can you do?", "help"),
        ("what did I say before?", "said"),
        ("do you remember what I said?", "said"),
        ("What was my first message?", "first said"),
        ("my name is Ada", "named"),
        ("explain quantum physics to me", "help"),
        ("", "help"),
        ("x" * 5_000, "too long"),
    ],
)
def test_small_talk_is_understood(text: str, about: str) -> None:
    assert understand(text) == (Talk(about),)


@pytest.mark.parametrize("again", ["and please ", "1, ", "delete 1, ", "change all and ", "“ "])
def test_the_longest_message_is_understood_in_few_steps(again: str) -> None:
    steps = 0

    def seen(_: FrameType, event: str, __: object) -> None:
        nonlocal steps
        steps += event in ("call", "c_call")

    sys.setprofile(seen)
    try:
        understand((again * 1000)[:1000].strip())
    finally:
        sys.setprofile(None)
    assert steps <= MOST_STEPS
