"""What the offline model does and says, through the runner."""

import pytest

from chatbridge.adapters.offline.model import OfflineModel
from chatbridge.adapters.offline.plan import Ask, Say, plan
from chatbridge.adapters.openai.agent_runner import OpenAIAgentRunner
from chatbridge.domain.model.message import Message
from chatbridge.domain.model.tag import tags_in_words
from chatbridge.domain.model.turn_event import TextDelta, TextFinished
from tests.contracts.agent_runner import all_of, heard, heard_until_failure, kept, said, text_of
from tests.contracts.task_tools import TaskTools


@pytest.fixture
def tools() -> TaskTools:
    return TaskTools()


def runner_with(tools: TaskTools) -> OpenAIAgentRunner:
    return OpenAIAgentRunner(OfflineModel(delay=0), tools, instructions="Help.")


async def answer(tools: TaskTools, *window: Message | str) -> str:
    return text_of(await heard(runner_with(tools), *window))


async def test_each_task_tool_is_used_and_reported(tools: TaskTools) -> None:
    assert await answer(tools, "add a task: buy oat milk") == "Added **buy oat milk** as task 1."
    assert await answer(tools, "rename task 1 to tea") == "Task 1 is now **tea**."
    assert await answer(tools, "list my tasks") == "You have 1 task, 1 open:\n\n- 1: tea"
    assert await answer(tools, "complete task 1") == "Task 1, **tea**, is done."
    assert await answer(tools, "show tasks") == "You have 1 task, 0 open:\n\n- 1: ~~tea~~ (done)"
    assert await answer(tools, "delete task 1") == "Deleted task 1, **tea**."
    assert (await answer(tools, "list my tasks")).startswith("Your task list is empty.")


@pytest.mark.parametrize(
    ("said", "arguments"),
    [
        ("order_status 1001", {"number": "1001"}),
        ("please use Order_Status: 1001!", {"number": "1001"}),
        ('call order_status with {"number": "7", "quick": true}', {"number": "7", "quick": True}),
        ("count 12 of them", {"at_most": 12, "about": "12 of them"}),
        ("count", {"about": ""}),
        ("my_order_status_2 is no tool, and order_statuses is none", None),
    ],
)
def test_a_tool_of_a_hosts_own_is_called_by_its_name(
    said: str, arguments: dict[str, object] | None
) -> None:
    text, number = {"type": "string"}, {"type": "integer"}
    tools = {
        "add_task": {"properties": {"title": text}},
        "order_status": {"properties": {"number": text, "quick": {"type": "boolean"}}},
        "count": {
            "properties": {"at_most": number, "about": text},
            "required": ["at_most", "about"],
        },
    }
    asked = {"role": "user", "content": said}
    (step,) = plan([asked], tools)
    if arguments is None:
        assert isinstance(step, Say)
        return
    assert isinstance(step, Ask)
    assert step.arguments == arguments
    call = {"type": "function_call", "call_id": "1", "name": step.name}
    output = {"type": "function_call_output", "call_id": "1", "output": "sent"}
    assert plan([asked, call, output], tools) == (Say(f"`{step.name}` has answered: sent"),)


THEME = {"switch_theme": {"properties": {"theme": {"type": "string"}}}}


@pytest.mark.parametrize(
    ("said", "theme"),
    [
        ("dark mode please", "dark"),
        ("Dark mode, please!", "dark"),
        ("can you switch to light?", "light"),
        ("switch back to the light theme", "light"),
        ("set the theme to dark", "dark"),
        ("make it dark", "dark"),
        ("Could you please turn dark mode on", "dark"),
        ("turn on dark mode", "dark"),
        ("change the colours to the system's", "system"),
        ("use the system theme", "system"),
        ("switch_theme dark", "dark"),
        ("add a task: switch to dark mode", None),
        ("set task 1 to dark mode", None),
        ("what is dark mode?", None),
    ],
)
def test_the_theme_of_a_page_that_has_one_is_switched(said: str, theme: str | None) -> None:
    asked = {"role": "user", "content": said}
    switch = Ask("switch_theme", {"theme": theme})
    assert (plan([asked], THEME) == (switch,)) == bool(theme)
    assert Ask("switch_theme", {"theme": theme}) not in plan([asked], {})


@pytest.mark.parametrize(
    ("output", "answer"),
    [
        ('{"theme": "dark"}', "The theme is **dark** now."),
        ('{"error": "No."}', '`switch_theme` has answered: {"error": "No."}'),
        ("[1]", "`switch_theme` has answered: [1]"),
    ],
)
def test_it_says_what_the_page_has_made_of_it(output: str, answer: str) -> None:
    called = [
        {"role": "user", "content": "dark mode please"},
        {"type": "function_call", "call_id": "c", "name": "switch_theme"},
        {"type": "function_call_output", "call_id": "c", "output": output},
    ]
    assert plan(called, THEME) == (Say(answer),)


async def test_several_wishes_are_called_side_by_side_in_one_step(tools: TaskTools) -> None:
    await answer(tools, "add tea")
    events = await heard(runner_with(tools), "add buy milk and complete task 1")
    step, text = kept(events)
    assert [c.name for c in step.tool_calls] == ["add_task", "complete_task"]
    assert text.content == "Added **buy milk** as task 2.\n\nTask 1, **tea**, is done."


async def test_a_title_is_looked_up_first(tools: TaskTools) -> None:
    await answer(tools, "add buy oat milk and add call mum")
    events = await heard(runner_with(tools), "complete the milk task")
    lookup, step, text = kept(events)
    assert [c.name for m in (lookup, step) for c in m.tool_calls] == ["list_tasks", "complete_task"]
    assert text.content == "Task 1, **buy oat milk**, is done."


async def test_a_task_that_is_named_with_an_at_is_the_one_that_is_meant(tools: TaskTools) -> None:
    await answer(tools, "add buy milk")
    await answer(tools, "add buy milk")
    milk = {"name": "buy milk", "id": "task_2", "data": {"number": "2"}}
    tom = {"name": "Tom", "id": "tom", "data": [7]}
    told = tags_in_words([milk, tom])
    assert "buy milk" in await answer(tools, f"complete @buy milk\n\n{told}")
    assert [task["done"] for task in tools.tasks.values()] == [False, True]
    assert await answer(tools, f"what did I say?\n\n{told}\n{{broken}}")
    window = (said(f"hello @Tom\n\n{told}"), "what did I say?")
    assert "JSON" not in await answer(tools, *window)


async def test_a_title_that_fits_nothing_or_too_much_is_said(tools: TaskTools) -> None:
    await answer(tools, "add buy milk and add buy bread")
    assert await answer(tools, "delete tea") == "I found no task that matches **tea**."
    assert (await answer(tools, "delete buy")).startswith("Several tasks match **buy**. Which one?")
    assert len(tools.tasks) == 2


async def test_everything_can_be_completed(tools: TaskTools) -> None:
    await answer(tools, "add tea and add milk")
    await answer(tools, "complete everything")
    assert all(task["done"] for task in tools.tasks.values())


async def test_a_failed_tool_is_admitted(tools: TaskTools) -> None:
    assert await answer(tools, "complete task 9") == "That did not work: There is no such task."
    assert await answer(tools, "rehearse a failing tool") == "That did not work: It has failed."
    crashed = await answer(tools, "rehearse a crashing tool")
    assert crashed.startswith("That did not work: The tool failed")


async def test_missing_tools_are_admitted() -> None:
    assert "not available right now" in await answer(TaskTools(()), "add tea")
    assert "not available here" in await answer(TaskTools(()), "rehearse a failing tool")


async def test_a_slow_tool_takes_its_seconds(tools: TaskTools) -> None:
    spoken = await answer(tools, "rehearse a slow tool for 0 seconds")
    assert spoken == "The tool has answered, 0 seconds later."


async def test_it_remembers_what_was_said(tools: TaskTools) -> None:
    window = ("my name is Ada", said("Hello.", "assistant"), "I like tea")
    window += (said("Nice to meet you.", "assistant"),)
    assert "> I like tea" in await answer(tools, *window, "what did I say before?")
    assert "> my name is Ada" in await answer(tools, *window, "what was my first message?")
    assert await answer(tools, *window, "what is my name?") == "Your name is **Ada**."
    assert "> Nice to meet you." in await answer(tools, *window, "what did you say?")
    assert "nothing before it" in await answer(tools, "what did I say before?")


async def test_it_says_what_it_is_and_what_it_understands(tools: TaskTools) -> None:
    assert "offline assistant" in await answer(tools, "explain quantum physics")


async def test_a_long_answer_has_as_many_words_as_asked_for(tools: TaskTools) -> None:
    events = await heard(runner_with(tools), "rehearse a long answer of 50 words")
    assert len(text_of(events).split()) == len(all_of(TextDelta, events)) == 50


async def test_a_failing_model_has_said_half_a_sentence(tools: TaskTools) -> None:
    events, failure = await heard_until_failure(runner_with(tools), "rehearse a failing model")
    assert failure.code == "model_unavailable"
    assert text_of(events) == "This answer will stop in the middle of a"
    assert all_of(TextFinished, events) == []
