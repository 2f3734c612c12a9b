"""What ChatKit's client is told of a turn, event by event."""

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
from chatkit.types import ThreadStreamEvent
from pydantic import TypeAdapter

from chatbridge.adapters.chatkit.items.mapping import BY_NAME, Display, to_item
from chatbridge.domain.model.citation import Citation
from chatbridge.domain.model.conversation import Conversation
from chatbridge.domain.model.identifiers import CallId, ConversationId, MessageId, UserId
from chatbridge.domain.model.tool_call import CallState, ToolCall
from chatbridge.domain.model.transcript import Transcript
from chatbridge.domain.model.turn_event import (
    Cited,
    EndState,
    TextDelta,
    TextFinished,
    TextStarted,
    Titled,
    TokensUsed,
    ToolCallFinished,
    ToolCallStarted,
    TurnEnded,
    TurnEvent,
    TurnFailed,
)
from chatbridge.entrypoints.chatkit.events import Translation

EVENT: TypeAdapter[Any] = TypeAdapter(ThreadStreamEvent)
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
OPENED = Display(details=True)
STAMP = "2026-01-02T03:04:05Z"
CONVERSATION = Conversation(
    id=ConversationId("conv_1"),
    user_id=UserId("alice"),
    created_at=AT,
    updated_at=AT,
    metadata={"a": 1},
)

THINKING = {"type": "progress_update", "text": "Thinking"}
HEAD = {"thread_id": "conv_1", "created_at": STAMP}


def told(*events: TurnEvent, display: Display = BY_NAME) -> list[dict[str, Any]]:
    """What the client gets, as JSON; each of it an event that the SDK knows, but for our code."""
    translation = Translation(CONVERSATION, display)
    answers = [as_json(answer) for event in events for answer in translation.of(event)]
    plain = [{k: v for k, v in each.items() if k != "chatbridge_code"} for each in answers]
    assert [as_json(EVENT.validate_python(answer)) for answer in plain] == plain
    return answers


def as_json(event: Any) -> dict[str, Any]:
    return event.model_dump(mode="json", by_alias=True, exclude_none=True)


def text(id: str, *parts: str, whole: bool = True) -> list[TurnEvent]:
    message_id = MessageId(id)
    events: list[TurnEvent] = [TextStarted(message_id=message_id, at=AT)]
    events += [TextDelta(message_id=message_id, text=part) for part in parts]
    return [*events, *([TextFinished(message_id=message_id)] if whole else [])]


def started(id: str, name: str = "add_task", step: str = "msg_tools") -> TurnEvent:
    call = ToolCall(id=CallId(id), name=name, arguments="{}", started_at=AT)
    return ToolCallStarted(message_id=MessageId(step), call=call)


def finished(
    id: str, state: CallState = "succeeded", output: str = "ok", step: str = "msg_tools"
) -> TurnEvent:
    return ToolCallFinished(
        message_id=MessageId(step), call_id=CallId(id), state=state, output=output, at=AT
    )


def ended(state: EndState = "completed") -> TurnEvent:
    return TurnEnded(state=state)


def assistant(id: str, said: str) -> dict[str, Any]:
    content = [{"type": "output_text", "text": said, "annotations": []}] if said else []
    return {"id": id, **HEAD, "type": "assistant_message", "content": content}


def line(place: int, title: str, label: str, color: str, *reason: str) -> dict[str, Any]:
    row = {
        "type": "Row",
        "align": "center",
        "gap": 2,
        "children": [
            {"type": "Icon", "name": "bolt", "size": "sm"},
            {"type": "Text", "value": title, "size": "sm"},
            {"type": "Spacer"},
            {"type": "Badge", "label": label, "color": color, "variant": "soft", "size": "sm"},
        ],
    }
    why = [{"type": "Text", "value": text, "size": "xs", "color": "secondary"} for text in reason]
    head = {"type": "Col", "id": f"call-{place}", "key": f"call_{place + 1}", "gap": 1}
    apart = {"padding": {"top": 2}} if place else {}
    return {**head, **apart, "children": [row, *why]}


def card(*lines: dict[str, Any]) -> dict[str, Any]:
    inside = {"type": "Col", "gap": 0, "children": list(lines)}
    return {"type": "Card", "size": "sm", "children": [inside]}


def badges(copied: str, *lines: dict[str, Any], id: str = "msg_tools") -> dict[str, Any]:
    return {"id": id, **HEAD, "type": "widget", "widget": card(*lines), "copy_text": copied}


def added(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "thread.item.added", "item": item}


def done(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "thread.item.done", "item": item}


def updated(id: str, update: dict[str, Any]) -> dict[str, Any]:
    return {"type": "thread.item.updated", "item_id": id, "update": update}


def part_added(id: str) -> dict[str, Any]:
    part = {"type": "output_text", "text": "", "annotations": []}
    kind = "assistant_message.content_part.added"
    return updated(id, {"type": kind, "content_index": 0, "content": part})


def delta(id: str, text: str) -> dict[str, Any]:
    kind = "assistant_message.content_part.text_delta"
    return updated(id, {"type": kind, "content_index": 0, "delta": text})


def redrawn(*lines: dict[str, Any]) -> dict[str, Any]:
    return updated("msg_tools", {"type": "widget.root.updated", "widget": card(*lines)})


def changed(line: dict[str, Any]) -> dict[str, Any]:
    kind = "widget.component.updated"
    return updated("msg_tools", {"type": kind, "component_id": line["id"], "component": line})


def error(message: str, code: str, *, retry: bool) -> dict[str, Any]:
    told = {"message": message, "allow_retry": retry, "chatbridge_code": code}
    return {"type": "error", "code": "custom", **told}


def kept(events: Iterable[TurnEvent], display: Display = BY_NAME) -> list[dict[str, Any]]:
    """What a reload shows."""
    messages = Transcript(CONVERSATION.id, events).closed()
    return [to_item(m, display).model_dump(mode="json", exclude_none=True) for m in messages]


RUNNING = line(0, "add_task", "Running", "secondary")
SUCCESS = line(0, "add_task", "Success", "success")
UNKNOWN = line(0, "add_task", "Outcome unknown", "warning")


def test_a_text_is_shown_as_it_is_said() -> None:
    assert told(*text("msg_1", "Hel", "lo"), ended()) == [
        added(assistant("msg_1", "")),
        part_added("msg_1"),
        delta("msg_1", "Hel"),
        delta("msg_1", "lo"),
        done(assistant("msg_1", "Hello")),
    ]


def test_a_tool_call_is_a_badge_that_changes() -> None:
    assert told(started("call_1"), finished("call_1"), ended()) == [
        added(badges("add_task: Running", RUNNING)),
        THINKING,
        changed(SUCCESS),
        THINKING,
        done(badges("add_task: Success", SUCCESS)),
    ]


def test_two_tools_side_by_side_share_a_card_and_one_may_fail() -> None:
    second = line(1, "list_tasks", "Running", "secondary")
    failed = line(1, "list_tasks", "Failed", "danger", "no list")
    events = [
        started("call_1"),
        started("call_2", "list_tasks"),
        finished("call_2", "failed", "no list"),
        finished("call_1"),
        *text("msg_2", "One of two."),
        ended(),
    ]
    assert told(*events) == [
        added(badges("add_task: Running", RUNNING)),
        THINKING,
        redrawn(RUNNING, second),
        changed(failed),
        changed(SUCCESS),
        THINKING,
        done(badges("add_task: Success\nlist_tasks: Failed", SUCCESS, failed)),
        added(assistant("msg_2", "")),
        part_added("msg_2"),
        delta("msg_2", "One of two."),
        done(assistant("msg_2", "One of two.")),
    ]


SIDE_BY_SIDE, ONE_BY_ONE = "side by side", "one by one"


def calls(number: int, how: str) -> list[TurnEvent]:
    """A step of so many calls, that ends with the next text."""
    starts = [started(f"call_{n + 1}") for n in range(number)]
    ends = [finished(f"call_{n + 1}") for n in range(number)]
    pairs = zip(starts, ends, strict=True)
    step = [*starts, *ends] if how == SIDE_BY_SIDE else [event for pair in pairs for event in pair]
    return [*step, *text("msg_2", "Done."), ended()]


@pytest.mark.parametrize("how", [SIDE_BY_SIDE, ONE_BY_ONE])
@pytest.mark.parametrize(("display", "most"), [(BY_NAME, 500_000), (OPENED, 1_000_000)])
def test_what_many_calls_cost_grows_with_their_number_alone(
    how: str, display: Display, most: int
) -> None:
    few, many = (
        len(json.dumps(told(*calls(number, how), display=display))) for number in (75, 150)
    )
    assert many < most
    assert many < 2.2 * few


def test_what_is_in_a_call_is_told_as_it_comes_and_kept() -> None:
    asked, answered = "Called with", "Result"
    events = [started("call_1"), finished("call_1", "failed", "secret"), *text("msg_2", "Oh.")]
    answers = told(*events, ended(), display=OPENED)
    captions = [re.findall('"Caption", "value": "([^"]+)"', json.dumps(each)) for each in answers]
    assert [told for told in captions if told] == [
        [asked],
        [asked, answered, "Took 0.00 s"],
        [asked, answered, "Took 0.00 s"],
    ]
    shown = [event["item"] for event in answers if event["type"] == "thread.item.done"]
    assert shown == kept(events, OPENED)
    assert "secret" not in json.dumps(told(started("call_1"), finished("call_1", output="secret")))


@pytest.mark.parametrize("how", [SIDE_BY_SIDE, ONE_BY_ONE])
def test_a_client_that_follows_the_lines_has_what_is_kept(how: str) -> None:
    events = calls(20, how)
    seen: dict[str, Any] = {}
    for event in told(*events):
        match event:
            case {"type": "thread.item.added", "item": {"widget": widget}}:
                seen = widget
            case {"type": "thread.item.updated", "update": {"widget": widget}}:
                seen = widget
            case {"type": "thread.item.updated", "update": {"component_id": id, "component": line}}:
                lines = lines_of(seen)
                (place,) = [n for n, known in enumerate(lines) if known["id"] == id]
                lines[place] = line
            case {"type": "thread.item.done", "item": {"widget": widget}}:
                assert [line for line in lines_of(seen) if "children" in line] == lines_of(widget)
                assert widget == kept(events)[0]["widget"]
            case _:
                pass
    assert len(lines_of(seen)) == 32


def lines_of(widget: dict[str, Any]) -> list[dict[str, Any]]:
    return widget["children"][0]["children"]


def test_a_call_of_a_step_that_was_done_is_told_and_the_step_is_done_again() -> None:
    events = [started("call_1"), finished("call_1"), *text("msg_2", "Let me see.")]
    events += [started("call_2"), finished("call_2"), ended()]
    assert [e["item"]["id"] for e in told(*events) if e["type"] == "thread.item.done"] == [
        "msg_tools",
        "msg_2",
        "msg_tools",
    ]


def test_what_is_cut_off_is_finished_with_what_is_kept() -> None:
    events = [*text("msg_1", "Half a", whole=False), started("call_1"), ended("cancelled")]
    answer = told(*events)
    assert answer == [
        added(assistant("msg_1", "")),
        part_added("msg_1"),
        delta("msg_1", "Half a"),
        added(badges("add_task: Running", RUNNING)),
        THINKING,
        done(assistant("msg_1", "Half a")),
        done(badges("add_task: Outcome unknown", UNKNOWN)),
    ]
    shown = [event["item"] for event in answer if event["type"] == "thread.item.done"]
    assert shown == kept(events)


def test_a_text_of_which_nothing_was_said_is_taken_away() -> None:
    assert told(*text("msg_1", whole=False), ended("interrupted")) == [
        added(assistant("msg_1", "")),
        part_added("msg_1"),
        {"type": "thread.item.removed", "item_id": "msg_1"},
    ]


def test_a_failure_is_told_and_closes_what_is_open() -> None:
    failure = TurnFailed(code="agent_failed", detail="The model is away.")
    assert told(*text("msg_1", "Half", whole=False), failure, ended("failed")) == [
        added(assistant("msg_1", "")),
        part_added("msg_1"),
        delta("msg_1", "Half"),
        error("The model is away.", "agent_failed", retry=True),
        done(assistant("msg_1", "Half")),
    ]


def test_a_deleted_conversation_can_not_be_asked_again() -> None:
    gone = TurnFailed(code="conversation_deleted", detail="The conversation was deleted.")
    assert told(gone, ended("interrupted")) == [
        error("The conversation was deleted.", "conversation_deleted", retry=False)
    ]


def test_a_title_is_told_with_the_whole_thread() -> None:
    assert told(Titled(title="Tea")) == [
        {
            "type": "thread.updated",
            "thread": {
                "id": "conv_1",
                "title": "Tea",
                "created_at": STAMP,
                "status": {"type": "active"},
                "allowed_image_domains": [],
                "metadata": {"a": 1},
                "items": {"data": [], "has_more": False},
            },
        }
    ]


def test_what_is_finished_is_not_finished_again_at_the_end() -> None:
    events = [started("call_1"), finished("call_1"), *text("msg_2", "Done."), ended()]
    finished_items = [e["item"]["id"] for e in told(*events) if e["type"] == "thread.item.done"]
    assert finished_items == ["msg_tools", "msg_2"]


def test_a_turn_that_says_nothing_shows_nothing() -> None:
    assert told(ended()) == []


def test_two_texts_and_a_step_between_them_are_items_in_order() -> None:
    events = [
        *text("msg_1", "Let me see."),
        started("call_1"),
        finished("call_1"),
        *text("msg_3", "Done."),
        ended(),
    ]
    shown = [event["item"] for event in told(*events) if event["type"] == "thread.item.done"]
    assert shown == kept(events)
    assert [item["id"] for item in shown] == ["msg_1", "msg_tools", "msg_3"]


def test_a_source_is_named_as_soon_as_it_is_known_and_stays_with_the_message() -> None:
    start, says, end = text("msg_1", "Oats.")
    page = Citation(title="Oats", url="https://example.com/oats", index=4)
    sources = page, Citation(title="oats.pdf")
    cited = [Cited(message_id=MessageId("msg_1"), citation=source) for source in sources]
    annotations = [
        {
            "type": "annotation",
            "source": {"type": "url", "title": "Oats", "url": "https://example.com/oats"},
            "index": 4,
        },
        {
            "type": "annotation",
            "source": {"type": "file", "title": "oats.pdf", "filename": "oats.pdf"},
        },
    ]
    kept = assistant("msg_1", "Oats.")
    kept["content"][0]["annotations"] = annotations
    kind = "assistant_message.content_part.annotation_added"
    assert told(start, says, *cited, end)[3:] == [
        *(
            updated(
                "msg_1",
                {"type": kind, "content_index": 0, "annotation_index": n, "annotation": each},
            )
            for n, each in enumerate(annotations)
        ),
        done(kept),
    ]
    (message,) = Transcript(CONVERSATION.id, [start, says, *cited, end]).closed()
    assert as_json(to_item(message)) == kept


def test_what_a_response_has_cost_is_not_told() -> None:
    assert told(TokensUsed(input_tokens=1, output_tokens=1)) == []
