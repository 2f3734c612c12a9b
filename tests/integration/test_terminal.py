"""`chatbridge chat` in a terminal of its own, at a server that means harm."""

import asyncio
import json
import os
import pty
import re
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from chatbridge.adapters.chatkit.items.asked_form import answers_in
from chatbridge.adapters.chatkit.items.badges import badges
from chatbridge.domain.model.approval import Proposal
from chatbridge.domain.model.identifiers import CallId
from chatbridge.domain.model.question import Choice, Form, Question
from chatbridge.domain.model.tool_call import ToolCall
from chatbridge.entrypoints.screen import Screen
from chatbridge.entrypoints.terminal.chat import Terminal
from chatbridge.entrypoints.terminal.prompt import chosen
from tests.command import begin
from tests.integration.tool_servers import serving

EVIL = (
    "\x1b]0;title\x07\x1b]52;c;aGk=\x07\x1b[2J\x1b[8mhidden\x9b2J\x08\x7f\rback\u202eback"
    "\u2066\x00\x1bP1\x1b\\\x1b]8;;https://evil.example\x07\U000e0041"
)
OURS = re.compile(r"\x1b\[(?:2|31|32|33|0)m|\r\x1b\[K|\r\n")
OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]")


def _badge(title: str, *further: str) -> dict[str, Any]:
    row = [
        {"type": "Text", "value": title},
        {"type": "Badge", "label": "".join((title, *further)), "color": "\x1b[2J"},
    ]
    parts = [{"type": "Caption", "value": "Called"}, {"type": "Markdown", "value": f"```\n{title}"}]
    parts += [{"type": "Caption", "value": each} for each in further]
    details = {"key": "chatbridge-details", "children": parts}
    line = {"id": "call-0", "key": "1", "children": [{"children": row}, details]}
    return {"children": [line]}


EVENTS = [
    {"type": "progress_update", "text": f"{EVIL}\n{EVIL}"},
    {"type": "thread.item.added", "item": {"type": "widget", "widget": _badge(EVIL)}},
    *({"type": "thread.item.updated", "update": {"delta": each}} for each in (*EVIL, EVIL)),
    {"type": "notice", "level": "danger", "message": EVIL, "title": EVIL},
    {"type": "thread.item.done", "item": {"type": "task", "task": {"title": EVIL}}},
    {"type": "error", "message": EVIL},
]
WORDS_AND_CALLS = [
    {"type": "thread.item.updated", "item_id": "1", "update": {"delta": "Let me see."}},
    {"type": "progress_update", "text": "Thinking"},
    {"type": "thread.item.added", "item": {"type": "widget", "widget": _badge("look_up")}},
    {"type": "thread.item.updated", "update": {"widget": _badge("look_up", "Result")}},
    {"type": "progress_update", "text": "Thinking"},
    {"type": "thread.item.updated", "item_id": "2", "update": {"delta": "There."}},
]
ITEMS = [
    {"type": "user_message", "content": [{"text": EVIL}]},
    {"type": "assistant_message", "content": [{"text": EVIL}]},
    {"type": "widget", "widget": _badge(EVIL)},
    {"type": "widget", "widget": {"type": "Card", "children": [{"type": "Text", "value": EVIL}]}},
    {"type": EVIL},
]


def _stream(
    asked: dict[str, Any], items: list[Any] = ITEMS, events: list[Any] = EVENTS
) -> Response:
    if asked["type"] == "items.list":
        return JSONResponse({"data": items})
    told = "".join(f"data: {json.dumps(each)}\n\n" for each in events)
    headers = {"X-Conversation-Id": "conv_1; touch pwned"}
    return Response(told, media_type="text/event-stream", headers=headers)


ANSWERS: dict[str, Callable[[dict[str, Any]], Response]] = {
    "a stream": _stream,
    "words and calls": lambda asked: _stream(asked, [], WORDS_AND_CALLS),
    "a problem": lambda _: JSONResponse({"detail": EVIL, "code": EVIL}, 400),
    "a wrong shape": lambda _: JSONResponse({"data": EVIL}),
}


async def test_nothing_that_a_server_says_is_obeyed_by_the_terminal(tmp_path: Path) -> None:
    asked: list[str] = []

    async def answering(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            body = await Request(scope, receive).json()
            asked.append(body["type"])
            await ANSWERS[scope["path"].split("/")[1]](body)(scope, receive, send)

    async with serving(answering) as base:
        told = await asyncio.gather(*(_shown(tmp_path, f"{base}/{way}") for way in ANSWERS))
    assert set(asked) == {"items.list", "threads.add_user_message"}
    for screen in told:
        assert OBEYED.findall(OURS.sub("", screen)) == []
    stream, words, problem, wrong = told
    assert r"\x1b]52;c;aGk=\x07" in stream
    assert "\x1b[31m" in stream
    assert "Called" in stream
    assert "```" not in stream
    assert "--conversation 'conv_1; touch pwned'" in stream
    lines = [
        "Let me see.",
        "  look_up [look_up]",
        "    Called",
        "    look_up",
        "  look_up [look_upResult]",
        "    Result",
        "Thinking…\r\x1b[KThere.",
    ]
    assert "\r\n".join([*lines, ""]) in re.sub(r"\x1b\[\d+m", "", words)
    assert r"Error: \x1b]0;title" in problem
    assert "can't be read" in wrong


SHOWN: list[tuple[dict[str, Any], str]] = [
    (
        {
            "type": "widget",
            "widget": {
                "type": "ListView",
                "children": [
                    {"type": "Row", "key": "1", "children": [{"type": "Badge", "label": "New"}]},
                    {"type": "Row", "key": "2", "children": {"type": "Title", "value": "Trains"}},
                    {"type": "Image", "src": "https://a.example", "alt": "A red train"},
                    {"type": "Button", "label": "Book"},
                    {"type": "Badge", "label": 1, "value": None},
                ],
            },
        },
        "[New]\nTrains\n(A red train)\n[Book]\n",
    ),
    ({"type": "widget", "copy_text": "In short", "widget": {"type": "Card"}}, "In short\n"),
    (
        {
            "type": "workflow",
            "workflow": {
                "summary": {"title": "Looked"},
                "tasks": [
                    {"type": "web_search", "title_query": "trains"},
                    {"type": "thought", "content": "Hm"},
                ],
            },
        },
        "(Looked)\n  trains\n",
    ),
    ({"type": "task", "task": {"type": "custom", "content": "Counts\nall"}}, "(Counts all)\n"),
    ({"type": "generated_image", "image": {"url": "data:image/png;base64,x"}}, "(A picture)\n"),
    ({"type": "generated_image", "image": {"url": "https://a/b"}}, "(A picture: https://a/b)\n"),
    ({"type": "generated_image", "image": None}, "(A picture)\n"),
    (
        {
            "type": "structured_input",
            "status": "answered",
            "inputs": [
                {"id": "q1", "question": "Why?", "answer": {"values": ["so", "or"]}},
                {"id": "q2", "question": "And?", "answer": {"values": [], "skipped": True}},
            ],
        },
        "Why?\n  so, or\nAnd?\n  (no answer)\n",
    ),
    ({"type": "client_tool_call", "name": "t", "status": "completed"}, "(t ran in a page)\n"),
    ({"type": "end_of_turn"}, ""),
    (
        {"type": "user_message", "content": [{"text": "see"}], "attachments": [{"name": "a.png"}]},
        "> see\n(a.png)\n",
    ),
]


async def test_what_an_answer_can_show_is_readable_in_a_terminal() -> None:
    """Both as it comes, where it is no message or form, and in the history."""

    async def answering(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            body = await Request(scope, receive).json()
            items = [{"id": str(n), **item} for n, (item, _) in enumerate(SHOWN)]
            done = [{"type": "thread.item.done", "item": item} for item in items]
            notice = {"type": "notice", "level": "info", "title": "Note", "message": "Slow today"}
            events = [notice, *done, *done, {"type": "error", "code": "stream.error"}]
            await _stream(body, [*reversed(items)], events)(scope, receive, send)

    told: list[list[str]] = [[], []]
    async with serving(answering) as base:
        for way, written in zip(("show_history", "say"), told, strict=True):
            with closing(Terminal(base, "x", Screen(written.append, colored=False))) as terminal:
                await asyncio.to_thread(getattr(terminal, way), *(["hi"] if way == "say" else []))
    history, streamed = ("".join(each) for each in told)
    assert history == "".join(lines for _, lines in SHOWN)
    told_later = [
        lines for i, lines in SHOWN if i["type"] not in ("structured_input", "client_tool_call")
    ]
    assert streamed == "".join(["Note: Slow today\n", *told_later[:-1], "! stream.error\n"])


async def _shown(home: Path, url: str) -> str:
    """What a terminal is sent: the history of a conversation and one answer."""
    master, slave = pty.openpty()
    said = home / f"said-{master}"
    said.write_text("hello\n")
    screen = Path(os.ttyname(slave))
    command = await begin(
        home,
        *("chat", "--conversation", "conv_1", "--token", "x", "--url", url),
        environment={"TERM": "xterm"},
        output=screen,
        stdin=said,
    )
    reading = asyncio.create_task(asyncio.to_thread(_read, master))
    await asyncio.to_thread(command.wait, 20)
    os.close(slave)
    try:
        return (await reading).decode()
    finally:
        os.close(master)


def _read(master: int) -> bytes:
    told = b""
    try:
        while piece := os.read(master, 65_536):
            told += piece
    except OSError:
        pass  # so it ends where nobody has the other side open
    return told


async def test_who_sits_at_it_approves_or_rejects_what_a_call_asks(tmp_path: Path) -> None:
    answers: list[Any] = []

    def answered(asked: dict[str, Any]) -> Response:
        if asked["type"] != "threads.custom_action":
            return _stream(
                asked, [], [_asking("1"), _asking("2"), _asking("3", words="Pay 5 to Ada")]
            )
        answers.append(asked["params"])
        return _stream(asked, [], [])

    async def answering(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            body = await Request(scope, receive).json()
            await answered(body)(scope, receive, send)

    async with serving(answering) as base:
        told = await _typed(
            tmp_path,
            base,
            ("> ", "pay\n"),
            ("Pay 5", ""),
            ("[y/N]: ", "n\n"),
            ("Why not?", "too dear\n"),
            ("[y/N]: ", "y\n"),
            ("Pay 5 to Ada", ""),
            ("always", "always\n"),
            ("> ", "\x04"),
        )
    assert "Needs approval" in told
    assert [(each["item_id"], each["action"]["type"]) for each in answers] == [
        ("1", "chatbridge.reject"),
        ("2", "chatbridge.approve"),
        ("3", "chatbridge.approve_for_conversation"),
    ]
    assert answers[0]["action"]["payload"] == {"call_id": "call_1", "reason": "too dear"}
    assert answers[1]["action"]["payload"] == {"call_id": "call_2"}


FORM = {
    "type": "structured_input",
    "id": "form",
    "status": "pending",
    "inputs": [
        {"id": "q1", "question": "Which size?", "options": [{"value": "S"}, {"value": "L"}]},
        {
            "id": "q2",
            "question": "With what?",
            "options": [{"value": "oat"}, {"value": "soy"}],
            "multiple": True,
        },
        {"id": "q3", "question": "Anything else?", "description": "Or nothing"},
    ],
}
CALL = {"type": "client_tool_call", "id": "call", "status": "pending", "name": "theme"}


async def test_questions_are_asked_at_the_prompt_and_a_pages_tool_is_not_waited_for(
    tmp_path: Path,
) -> None:
    answers: list[Any] = []

    async def answering(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            body = await Request(scope, receive).json()
            answers.append(body)
            asked = [FORM, {**FORM, "id": "second"}, CALL] if len(answers) == 1 else []
            events = [{"type": "thread.item.done", "item": item} for item in asked]
            await _stream(body, [], events)(scope, receive, send)

    async with serving(answering) as base:
        told = await _typed(
            tmp_path,
            base,
            ("> ", "a coffee\n"),
            ("2) L", ""),
            ("Answer", "2\n"),
            ("With what?", ""),
            ("Answer", "1, cinnamon\n"),
            ("Or nothing", ""),
            ("skip", "\n"),
            *[("Answer", "\n")] * 3,
            ("> ", "\x04"),
        )
    form, second, page = ({"type": a["type"], **a["params"]} for a in answers[1:])
    assert form["type"] == second["type"] == "threads.add_structured_input"
    assert (form["item_id"], form["input"]) == (
        "form",
        {
            "status": "answered",
            "answers": {"q1": {"values": ["L"]}, "q2": {"values": ["oat", "cinnamon"]}},
        },
    )
    assert (second["item_id"], second["input"]) == ("second", {"status": "skipped", "answers": {}})
    assert page["type"] == "threads.add_client_tool_output"
    assert "not available in a terminal" in page["result"]
    assert "not available in a terminal" in told


SERVERS_FORM = Form(
    questions=(
        Question(
            id="size",
            words="Which size?",
            choices=(Choice(value="s", title="Small"), Choice(value="l", title="Large")),
            required=True,
        ),
        Question(id="with", words="With?", choices=(Choice(value="oat"),), multiple=True),
        Question(id="cups", words="How many?", kind="integer", default=("2",)),
    ),
    title="Your coffee",
    source="bar",
)
SERVERS_LINK = Form(
    questions=(
        Question(
            id="page",
            words="Open",
            choices=(Choice(value="done", title="Done"),),
            required=True,
            link="https://pay.example/now",
        ),
    ),
    source="bar",
)


async def test_a_tool_servers_form_is_filled_in_at_the_prompt(tmp_path: Path) -> None:
    answers: list[Any] = []

    async def answering(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body = await Request(scope, receive).json()
        answers.append(body)
        first, wrong = len(answers) == 1, len(answers) == 3
        if body["type"] == "threads.sync_custom_action":
            await JSONResponse({})(scope, receive, send)
        elif wrong:
            problem = {"detail": "Too large.", "code": "wrong_answer"}
            await JSONResponse(problem, 422)(scope, receive, send)
        else:
            asked = [_forming("1", SERVERS_FORM), _forming("2", SERVERS_LINK)]
            live = _forming("3", replace(SERVERS_LINK, live=True))["item"]
            update = {"type": "widget.root.updated", "widget": live["widget"]}
            told = {"type": "thread.item.updated", "item_id": "3", "update": update}
            await _stream(body, [], [told, told, *asked] if first else [])(scope, receive, send)

    filled_in = [("[y/N]: ", "y\n"), ("2) Large", "2\n"), ("With?", ""), ("Answer", "1\n")]
    async with serving(answering) as base:
        await _typed(
            tmp_path,
            base,
            ("> ", "a coffee\n"),
            ("https://pay.example/now", ""),
            ("Done? [y/N]: ", "y\n"),
            ("Your coffee", ""),
            *filled_in,
            ("Enter for 2", "3\n"),
            ("Too large.", ""),
            *filled_in,
            ("Enter for 2", "\n"),
            ("Done? [y/N]: ", "n\n"),
            ("> ", "\x04"),
        )
    told = [(a["type"], a["params"]["item_id"], a["params"]["action"]) for a in answers[1:]]
    assert [(kind, id, action["type"]) for kind, id, action in told] == [
        ("threads.sync_custom_action", "3", "chatbridge.answer"),
        *[("threads.custom_action", "1", "chatbridge.answer")] * 2,
        ("threads.custom_action", "2", "chatbridge.decline"),
    ]
    read = [answers_in(action["payload"]) for _, _, action in told]
    assert read[0] == {"page": ("done",)}
    assert read[1:3] == [{"size": ("l",), "with": ("oat",), "cups": (n,)} for n in ("3", "2")]


MULTIPLE = Question(
    id="q", words="?", choices=(Choice(value="2"), Choice(value="b")), multiple=True, free=True
)


@pytest.mark.parametrize(
    ("typed", "read"),
    {
        "1": ["2"],
        "2": ["2"],
        "2, b": ["2", "b"],
        "3": ["3"],
        "a, or so": ["a, or so"],
        "": [""],
    }.items(),
)
def test_a_choice_is_typed_by_its_words_or_its_number(typed: str, read: list[str]) -> None:
    assert chosen(MULTIPLE, typed) == read


def _asking(id: str, *, words: str = "") -> dict[str, Any]:
    """The card of a call that asks is there."""
    call = ToolCall(
        id=CallId(f"call_{id}"),
        name="pay",
        arguments='{"sum": 5}',
        started_at=datetime.now(UTC),
        state="waiting",
        proposal=Proposal(fingerprint="v1", may_stand=bool(words), words=words),
    )
    widget = badges([call])["widget"].model_dump(mode="json", exclude_none=True)
    return {"type": "thread.item.done", "item": {"type": "widget", "id": id, "widget": widget}}


def _forming(id: str, form: Form) -> dict[str, Any]:
    """The card of a call whose server asks is there."""
    call = ToolCall(
        id=CallId(f"call_{id}"),
        name="order",
        arguments="{}",
        started_at=datetime.now(UTC),
        state="waiting",
        asks="answers",
        form=form,
    )
    widget = badges([call])["widget"].model_dump(mode="json", exclude_none=True)
    return {"type": "thread.item.done", "item": {"type": "widget", "id": id, "widget": widget}}


async def _typed(home: Path, url: str, *said: tuple[str, str]) -> str:
    """What a terminal shows to somebody who types, each time as soon as this is there."""
    master, slave = pty.openpty()
    screen = Path(os.ttyname(slave))
    command = await begin(
        home,
        *("chat", "--token", "x", "--url", url),
        environment={"TERM": "xterm"},
        output=screen,
        stdin=screen,
    )
    told, read = "", 0
    try:
        async with asyncio.timeout(30):
            for wanted, typed in said:
                while (at := told.find(wanted, read)) < 0:
                    told += (await asyncio.to_thread(os.read, master, 65_536)).decode()
                read = at + len(wanted)
                os.write(master, typed.encode())
            await asyncio.to_thread(command.wait, 20)
    finally:
        os.close(slave)
        os.close(master)
    return told
