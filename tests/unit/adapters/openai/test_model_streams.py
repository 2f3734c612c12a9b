"""What a model streams, well or badly, and what the runner makes of it."""

from collections.abc import AsyncIterator
from typing import Any

from agents import ModelSettings, ModelTracing
from agents.testing import ModelStep, ScriptedModel, assistant_message
from openai.types.responses import (
    ResponseOutputMessage,
    ResponseOutputRefusal,
    ResponseTextDeltaEvent,
)

from chatbridge.adapters.openai.agent_runner import OpenAIAgentRunner
from chatbridge.domain.model.turn_event import TextDelta, TextFinished, TextStarted
from tests.contracts.agent_runner import all_of, heard, heard_until_failure, kept, text_of
from tests.contracts.task_tools import TaskTools


def runner_of(model: ScriptedModel) -> OpenAIAgentRunner:
    return OpenAIAgentRunner(model, TaskTools(), instructions="Help.")


async def test_ids_are_ours_though_the_model_always_gives_the_same_one() -> None:
    step = [assistant_message("Hi.", item_id="__fake_id__")]
    model = ScriptedModel([step, step, step])
    ids = {m.id for _ in range(3) for m in kept(await heard(runner_of(model), "go"))}
    assert len(ids) == 3
    assert all(id.startswith("msg_") for id in ids)


async def test_a_model_that_breaks_in_mid_text_fails_after_its_last_word() -> None:
    words = [_delta(word) for word in ("one ", "two ", "three")]

    async def breaking(call: Any) -> AsyncIterator[Any]:
        for word in words:
            yield word
        raise ConnectionError("secret contents")

    model = ScriptedModel([ModelStep.stream(breaking)])
    events, failure = await heard_until_failure(runner_of(model), "go")
    assert text_of(events) == "one two three"
    assert all_of(TextFinished, events) == []
    assert failure.code == "model_unavailable"
    assert "secret" not in failure.detail


async def test_a_stream_that_only_stops_is_not_an_answer() -> None:
    model = ScriptedModel([ModelStep.stream([_delta("Once upon")])])
    events, failure = await heard_until_failure(runner_of(model), "go")
    assert (text_of(events), failure.code) == ("Once upon", "model_truncated")


async def test_an_item_that_the_model_calls_incomplete_is_not_finished() -> None:
    full = [e async for e in _events_of(assistant_message("Once upon a"))]
    cut = [e for e in full if e.type != "response.completed"]
    for event in cut:
        if event.type == "response.output_item.done":
            event.item.status = "incomplete"
    events, failure = await heard_until_failure(
        runner_of(ScriptedModel([ModelStep.stream(cut)])), "go"
    )
    assert [m.kind for m in kept(events)] == ["partial"]
    assert failure.code == "model_truncated"


async def test_missing_indices_and_ids_do_not_mix_texts_up() -> None:
    deltas = [_delta("a", None, "x"), _delta("b", None, "y"), _delta("c", None, "x")]
    model = ScriptedModel([ModelStep.stream(deltas)])
    events, _ = await heard_until_failure(runner_of(model), "go")
    assert [m.content for m in kept(events)] == ["ac", "b"]


async def test_text_that_came_without_deltas_is_said_at_once() -> None:
    full = [e async for e in _events_of(assistant_message("All of it."))]
    without = [e for e in full if "delta" not in e.type and "part" not in e.type]
    for events in (without, [e for e in without if "item" not in e.type]):
        said = await heard(runner_of(ScriptedModel([ModelStep.stream(events)])), "go")
        assert [type(e) for e in said] == [TextStarted, TextDelta, TextFinished]
        assert text_of(said) == "All of it."


async def test_a_refusal_is_text() -> None:
    refusal = ResponseOutputMessage(
        id="m",
        type="message",
        role="assistant",
        status="completed",
        content=[ResponseOutputRefusal(type="refusal", refusal="I can't.")],
    )
    (message,) = kept(await heard(runner_of(ScriptedModel([[refusal]])), "go"))
    assert (message.content, message.kind) == ("I can't.", "text")


def _delta(text: str, index: int | None = 0, item_id: str = "m") -> Any:
    return ResponseTextDeltaEvent.model_construct(
        type="response.output_text.delta", delta=text, output_index=index, item_id=item_id
    )


async def _events_of(item: Any) -> AsyncIterator[Any]:
    model = ScriptedModel([[item]])
    parts: Any = (None, "x", ModelSettings(), [], None, [], ModelTracing.DISABLED)
    async for event in model.stream_response(
        *parts, previous_response_id=None, conversation_id=None, prompt=None
    ):
        yield event
