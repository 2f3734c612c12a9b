"""ChatKit's items there and back, and what is built where there was none."""

import json
import logging
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, get_args

import pytest
from chatkit.types import (
    AssistantMessageItem,
    ClosedStatus,
    InferenceOptions,
    LockedStatus,
    ThreadItem,
    UserMessageInput,
    UserMessageItem,
    UserMessageTagContent,
    UserMessageTextContent,
    WidgetItem,
)
from chatkit.widgets import DynamicWidgetRoot
from pydantic import TypeAdapter

from chatbridge.adapters.chatkit.items.mapping import (
    Display,
    to_item,
    to_message,
    to_thread,
    to_user_message,
)
from chatbridge.domain.model.conversation import Conversation
from chatbridge.domain.model.errors import Invalid
from chatbridge.domain.model.identifiers import CallId, ConversationId, MessageId, UserId
from chatbridge.domain.model.limits import MAX_CONTENT
from chatbridge.domain.model.message import Message, Role
from chatbridge.domain.model.tool_call import CallState, ToolCall, listing_of

ITEM: TypeAdapter[Any] = TypeAdapter(ThreadItem)
AT = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)
THREAD = ConversationId("conv_1")

_URL = {
    "type": "url",
    "title": "Tea",
    "url": "https://tea.example/oat?milk=1#top",
    "description": "All of it",
    "timestamp": "2026-01-01",
    "group": "Shops",
    "attribution": "tea.example",
}
_FILE = {"type": "file", "title": "List", "filename": "list.txt"}
_ENTITY = {
    "type": "entity",
    "id": "task-1",
    "title": "Task 1",
    "icon": "bolt",
    "label": "Task",
    "inline_label": "#1",
    "interactive": True,
    "data": {"number": 1, "deep": [{"a": None}]},
}

SAMPLES: dict[str, list[dict[str, Any]]] = {
    "user_message": [
        {"content": [], "inference_options": {}},
        {
            "content": [
                {"type": "input_text", "text": "Hello, "},
                {
                    "type": "input_tag",
                    "id": "tag_1",
                    "text": "@task 1",
                    "data": {"number": 1, "share": 0.5, "none": None},
                    "group": "tasks",
                    "interactive": True,
                },
                {"type": "input_text", "text": "ça va? 🍵\n"},
            ],
            "attachments": [
                {
                    "type": "file",
                    "id": "file_1",
                    "name": "list.txt",
                    "mime_type": "text/plain",
                    "thread_id": THREAD,
                    "metadata": {"sha": "1f"},
                    "upload_descriptor": {
                        "url": "https://files.example/1",
                        "method": "PUT",
                        "headers": {"X-Key": "1"},
                    },
                },
                {
                    "type": "image",
                    "id": "file_2",
                    "name": "tea.png",
                    "mime_type": "image/png",
                    "preview_url": "https://files.example/2?small=1",
                },
            ],
            "quoted_text": "as you said",
            "inference_options": {"model": "large", "tool_choice": {"id": "add_task"}},
        },
    ],
    "assistant_message": [
        {"content": []},
        {
            "content": [
                {"type": "output_text", "text": "Two ", "annotations": []},
                {
                    "type": "output_text",
                    "text": "teas.",
                    "annotations": [
                        {"type": "annotation", "source": _URL, "index": 3},
                        {"type": "annotation", "source": _FILE},
                        {"type": "annotation", "source": _ENTITY, "index": 0},
                    ],
                },
            ]
        },
    ],
    "client_tool_call": [
        {"call_id": "c1", "name": "open_page", "arguments": {"page": 1, "deep": {"a": [1.5]}}},
        {
            "status": "completed",
            "call_id": "c2",
            "name": "ask",
            "arguments": {},
            "output": {"said": ["yes", None]},
        },
    ],
    "widget": [
        {
            "widget": {
                "type": "Card",
                "size": "sm",
                "padding": {"x": 2},
                "status": {"text": "Done", "icon": "bolt"},
                "confirm": {"label": "Yes", "action": {"type": "go", "payload": {"a": 1}}},
                "children": [
                    {"type": "Text", "value": "Tea", "streaming": False},
                    {"type": "Row", "gap": 1, "children": [{"type": "Badge", "label": "New"}]},
                ],
            },
            "copy_text": "Tea: new",
        },
        {
            "widget": {
                "type": "ListView",
                "limit": "auto",
                "children": [
                    {"type": "ListViewItem", "children": [{"type": "Text", "value": "One"}]}
                ],
            }
        },
        {"widget": {"type": "Basic", "gap": 2, "children": [{"type": "Title", "value": "T"}]}},
        {
            "widget": {
                "type": "Card",
                "children": [{"type": "AnythingNew", "key": "k", "wild": {"a": [1.5]}}],
            }
        },
    ],
    "generated_image": [
        {},
        {"image": {"id": "img_1", "url": "https://images.example/1.png"}},
    ],
    "structured_input": [
        {
            "inputs": [
                {
                    "type": "multiple_choice",
                    "id": "q1",
                    "question": "Which?",
                    "options": [{"value": "oat"}, {"value": "soy"}],
                    "multiple": True,
                },
                {"type": "freeform", "id": "q2", "question": "Why?", "description": "Freely"},
            ]
        },
        {
            "status": "answered",
            "inputs": [
                {
                    "type": "freeform",
                    "id": "q1",
                    "question": "Why?",
                    "answer": {"values": ["because"], "skipped": False},
                }
            ],
        },
    ],
    "workflow": [
        {
            "workflow": {
                "type": "reasoning",
                "expanded": True,
                "summary": {"duration": 12},
                "tasks": [{"type": "thought", "title": "Think", "content": "about tea"}],
            }
        },
        {
            "workflow": {
                "type": "custom",
                "summary": {"title": "Shopping", "icon": "bolt"},
                "tasks": [
                    {"type": "custom", "title": "A", "status_indicator": "loading"},
                    {"type": "web_search", "queries": ["tea"], "sources": [_URL]},
                    {"type": "file", "sources": [_FILE]},
                    {"type": "image", "title": "I", "status_indicator": "complete"},
                ],
            }
        },
    ],
    "task": [{"task": {"type": "custom", "title": "Buy", "icon": "bolt", "content": "**oat**"}}],
    "hidden_context_item": [
        {"content": "said nowhere"},
        {"content": {"deep": [1, None, "a"]}},
        {"content": None},
    ],
    "sdk_hidden_context": [{"content": "said by the SDK"}],
    "end_of_turn": [{}],
}


def item(type: str, **fields: Any) -> Any:
    head = {"id": "msg_1", "thread_id": THREAD, "created_at": AT}
    return ITEM.validate_python({"type": type, **head, **fields})


def message(role: Role = "assistant", **fields: Any) -> Message:
    return Message(
        **{
            "id": MessageId("msg_1"),
            "conversation_id": THREAD,
            "role": role,
            "kind": "text",
            "created_at": AT,
            **fields,
        }
    )


def call(state: CallState, **fields: Any) -> ToolCall:
    return ToolCall(
        **{
            "id": CallId("call_1"),
            "name": "add_task",
            "arguments": '{"title": "tea"}',
            "started_at": AT,
            "state": state,
            **fields,
        }
    )


def test_every_kind_of_item_that_the_sdk_knows_has_a_sample() -> None:
    union, *_ = get_args(ThreadItem)
    known = {member.model_fields["type"].default for member in get_args(union)}
    assert known == set(SAMPLES)


@pytest.mark.parametrize(
    "sample",
    [item(type, **fields) for type, each in SAMPLES.items() for fields in each],
    ids=lambda sample: sample.type,
)
def test_an_item_comes_back_as_it_went_in(sample: Any) -> None:
    kept = to_message(sample)
    stored = replace(kept, payload=json.loads(json.dumps(kept.payload)))
    back = to_item(stored)
    assert back == sample
    assert type(back) is type(sample)
    sent = {"by_alias": True, "exclude_none": True}
    assert back.model_dump_json(**sent) == sample.model_dump_json(**sent)


@pytest.mark.parametrize(
    ("type", "role", "kind", "content"),
    [
        ("user_message", "user", "text", "Hello, @task 1ça va? 🍵\n"),
        ("assistant_message", "assistant", "text", "Two teas."),
        ("client_tool_call", "assistant", "shown", ""),
        ("generated_image", "assistant", "shown", ""),
        ("structured_input", "assistant", "shown", ""),
        ("workflow", "assistant", "shown", ""),
        ("hidden_context_item", "assistant", "note", "null"),
        ("sdk_hidden_context", "assistant", "note", "said by the SDK"),
        ("end_of_turn", "assistant", "shown", ""),
    ],
)
def test_what_the_domain_reads_is_lifted_out_of_an_item(
    type: str, role: str, kind: str, content: str
) -> None:
    read = to_message(item(type, **SAMPLES[type][-1]))
    assert (read.role, read.kind, read.content) == (role, kind, content)
    assert (read.id, read.conversation_id, read.created_at) == ("msg_1", THREAD, AT)
    assert read.payload is not None
    assert not {"id", "thread_id", "created_at"} & read.payload.keys()


def test_a_widgets_text_for_copying_is_its_content() -> None:
    assert to_message(item("widget", **SAMPLES["widget"][0])).content == "Tea: new"


def test_naive_local_time_becomes_aware_utc() -> None:
    local = datetime(2026, 7, 1, 12, 0, 0, 5)  # noqa: DTZ001  # as the SDK makes them
    read = to_message(item("end_of_turn", created_at=local)).created_at
    assert read.utcoffset() == timedelta(0)
    assert read.timestamp() == local.timestamp()


def test_a_time_of_another_zone_becomes_utc() -> None:
    there = datetime(2026, 7, 1, 12, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    read = to_message(item("end_of_turn", created_at=there)).created_at
    assert (read, read.utcoffset()) == (there, timedelta(0))


@pytest.mark.parametrize(
    "payload", [{}, {"type": "from_the_future", "a": 1}, {"type": "widget", "widget": 7}], ids=str
)
def test_an_unreadable_payload_is_shown_as_such(
    payload: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        shown = to_item(message(kind="shown", payload=payload))
    assert isinstance(shown, AssistantMessageItem)
    assert [part.text for part in shown.content] == ["(This entry can't be shown.)"]
    assert (shown.id, shown.thread_id, shown.created_at) == ("msg_1", THREAD, AT)
    assert "msg_1" in caplog.text


def test_an_unreadable_payload_gives_way_to_the_text_that_stands_for_it() -> None:
    shown = to_item(message(kind="shown", payload={"type": "new"}, content="Tea: new"))
    assert isinstance(shown, AssistantMessageItem)
    assert [part.text for part in shown.content] == ["Tea: new"]


def test_a_payload_can_not_name_another_item() -> None:
    payload = {"type": "end_of_turn", "id": "msg_2", "thread_id": "conv_2", "created_at": 0}
    shown = to_item(message(kind="shown", payload=payload))
    assert (shown.id, shown.thread_id, shown.created_at) == ("msg_1", THREAD, AT)


def test_a_persons_message_without_a_payload_is_built() -> None:
    shown = to_item(message("user", content="add tea"))
    assert shown == UserMessageItem(
        id="msg_1",
        thread_id=THREAD,
        created_at=AT,
        content=[UserMessageTextContent(text="add tea")],
        inference_options=InferenceOptions(),
    )


@pytest.mark.parametrize("kind", ["text", "partial"])
def test_an_answer_without_a_payload_is_built(kind: Any) -> None:
    shown = to_item(message(kind=kind, content="Added tea"))
    assert isinstance(shown, AssistantMessageItem)
    assert [(part.text, part.annotations) for part in shown.content] == [("Added tea", [])]


def test_an_answer_that_says_nothing_yet_has_no_parts() -> None:
    shown = to_item(message(kind="partial", content=""))
    assert isinstance(shown, AssistantMessageItem)
    assert shown.content == []


@pytest.mark.parametrize(
    ("state", "label", "color"),
    [
        ("running", "Running", "secondary"),
        ("succeeded", "Success", "success"),
        ("failed", "Failed", "danger"),
        ("cancelled", "Cancelled", "warning"),
        ("unknown", "Outcome unknown", "warning"),
    ],
)
def test_a_tool_call_is_a_badge_of_its_state(state: CallState, label: str, color: str) -> None:
    shown = to_item(message(kind="tools", tool_calls=(call(state),)))
    assert isinstance(shown, WidgetItem)
    assert shown.copy_text == f"add_task: {label}"
    assert lines_of(shown) == [
        {
            "type": "Col",
            "id": "call-0",
            "key": "call_1",
            "gap": 1,
            "children": [
                {
                    "type": "Row",
                    "align": "center",
                    "gap": 2,
                    "children": [
                        {"type": "Icon", "name": "bolt", "size": "sm"},
                        {"type": "Text", "value": "add_task", "size": "sm"},
                        {"type": "Spacer"},
                        {
                            "type": "Badge",
                            "label": label,
                            "color": color,
                            "variant": "soft",
                            "size": "sm",
                        },
                    ],
                }
            ],
        }
    ]


def lines_of(shown: ThreadItem) -> list[dict[str, Any]]:
    """The calls of a card, as JSON."""
    assert isinstance(shown, WidgetItem)
    assert isinstance(shown.widget, DynamicWidgetRoot)
    card = shown.widget.model_dump(exclude_none=True)
    assert (card["type"], card["size"]) == ("Card", "sm")
    return card["children"][0]["children"]


def test_every_state_of_a_call_has_a_badge() -> None:
    for state in get_args(CallState):
        shown = to_item(message(kind="tools", tool_calls=(call(state),)))
        assert ITEM.validate_json(shown.model_dump_json(exclude_none=True)).type == "widget"


def test_the_calls_of_one_step_are_lines_of_one_card() -> None:
    calls = (call("succeeded"), call("failed", id=CallId("call_2"), name="list_tasks"))
    shown = to_item(message(kind="tools", tool_calls=calls))
    assert isinstance(shown, WidgetItem)
    assert [line["key"] for line in lines_of(shown)] == ["call_1", "call_2"]
    assert shown.copy_text == "add_task: Success\nlist_tasks: Failed"


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("no such task", "no such task"),
        ("x" * 201, "x" * 200 + "…"),
        ("“" + "x" * 201, "“" + "x" * 199 + "…”"),
    ],
)
@pytest.mark.parametrize("state", ["failed", "unknown"])
def test_a_call_that_did_not_succeed_says_why_and_not_at_length(
    state: CallState, output: str, reason: str
) -> None:
    shown = to_item(message(kind="tools", tool_calls=(call(state, output=output),)))
    (line,) = lines_of(shown)
    assert [part.get("value") for part in line["children"]] == [None, reason]


def test_a_call_that_went_well_does_not_show_its_output() -> None:
    shown = to_item(message(kind="tools", tool_calls=(call("succeeded", output="secret"),)))
    assert "secret" not in shown.model_dump_json()


@pytest.mark.parametrize(
    ("arguments", "output", "shown"),
    [
        ('{"a":[1,"é"]}', "went well", ['{\n  "a": [\n    1,\n    "é"\n  ]\n}', "went well"]),
        ('{"a":', None, ['{"a":']),
        ("[" * 1_500, "x" * 2_001, ["[" * 1_500, "x" * 2_000 + "… (2,001 characters in all)"]),
        ("{}", "```\n# Not ours\n````", ["{}", "```\n# Not ours\n````"]),
    ],
)
def test_details_are_what_was_asked_and_what_came_of_it(
    arguments: str, output: str | None, shown: list[str]
) -> None:
    opened = replace(call("succeeded", output=output), arguments=arguments)
    notice = call("failed", name=listing_of("tasks"), output="away")
    item = to_item(message(kind="tools", tool_calls=(opened, notice)), Display(details=True))
    line, without = lines_of(item)
    details = [part for part in line["children"] if part.get("key") == "chatbridge-details"]
    blocks = [part["value"] for part in details[0]["children"] if part["type"] == "Markdown"]
    for block, text in zip(blocks, shown, strict=True):
        fence = block.split("\n", 1)[0]
        assert set(fence) == {"`"}
        assert fence not in text
        assert block == f"{fence}\n{text}\n{fence}"
    assert [part.get("key") for part in without["children"]] == [None, None]


@pytest.mark.parametrize(
    ("name", "source", "title"),
    [
        ("", "", "tool"),
        ("add_task", "tasks", "tasks · add_task"),
        ("tools_of_tasks", "evil", "evil · tools_of_tasks"),
        ("Tools of tasks", "", "Tools_of_tasks"),
        ("ksat\u202e_dda", "ta\u200bsks", "tasks · ksat_dda"),
    ],
)
def test_a_badge_names_the_server_of_its_tool_and_no_tool_looks_like_a_notice(
    name: str, source: str, title: str
) -> None:
    of_tool = replace(call("failed", name=name), source=source)
    notice = call("failed", name=listing_of("tasks"))
    shown = to_item(message(kind="tools", tool_calls=(of_tool, notice)))
    assert isinstance(shown, WidgetItem)
    assert shown.copy_text == f"{title}: Failed\nTools of tasks: Failed"
    icons = re.findall(r'"type":"Icon"[^}]*"name":"(\w+)"', shown.model_dump_json())
    assert icons == ["bolt", "warning"]


HELLO = UserMessageTextContent(text="hello")


def sent(*parts: Any, options: InferenceOptions | None = None, **fields: Any) -> UserMessageInput:
    chosen = options or InferenceOptions()
    return UserMessageInput(content=list(parts), attachments=[], inference_options=chosen, **fields)


def test_what_a_person_sends_gets_an_id_of_ours_and_is_kept_whole() -> None:
    tag = UserMessageTagContent(id="t", text="@tea", data={"a": [1]})
    asked = sent(UserMessageTextContent(text="buy "), tag, quoted_text="oat")
    before = datetime.now(UTC)
    first, second = to_user_message(asked, THREAD), to_user_message(asked, THREAD)
    assert first.id.startswith("msg_")
    assert first.id != second.id
    assert (first.role, first.kind, first.content) == ("user", "text", "buy @tea")
    assert before <= first.created_at <= datetime.now(UTC)
    shown = to_item(first)
    assert isinstance(shown, UserMessageItem)
    assert (shown.content, shown.quoted_text) == (asked.content, "oat")


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (sent(), "empty_text"),
        (sent(UserMessageTextContent(text=" \n")), "empty_text"),
        (sent(UserMessageTextContent(text="x" * (MAX_CONTENT + 1))), "text_too_long"),
        (sent(UserMessageTextContent(text="a\0")), "invalid_text"),
        (sent(HELLO, quoted_text="x" * (MAX_CONTENT + 1)), "text_too_long"),
    ],
    ids=["no part", "blank", "long", "NUL", "long quote"],
)
def test_what_can_not_be_kept_is_refused(asked: UserMessageInput, code: str) -> None:
    with pytest.raises(Invalid) as raised:
        to_user_message(asked, THREAD)
    assert raised.value.code == code


def test_a_conversation_is_a_thread() -> None:
    kept = Conversation(
        id=THREAD,
        user_id=UserId("alice"),
        created_at=AT,
        updated_at=AT + timedelta(days=1),
        title="Tea",
        metadata={"a": [1]},
    )
    thread = to_thread(kept)
    assert (thread.id, thread.title, thread.created_at) == (THREAD, "Tea", AT)
    assert (thread.status.type, thread.metadata) == ("active", {"a": [1]})
    assert "alice" not in thread.model_dump_json()
    locked = to_thread(replace(kept, status="locked", status_reason="soon"))
    assert locked.status == LockedStatus(reason="soon")
    assert to_thread(replace(kept, status="closed")).status == ClosedStatus()
