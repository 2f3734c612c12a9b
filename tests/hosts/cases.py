"""The servers that are compared, what is asked of each, and what is told otherwise than bare."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import unified_diff
from typing import Any

from chatkit.server import ChatKitServer

from tests.chatkit_client import items
from tests.hosts import servers, showing
from tests.hosts.bridged import comparable
from tests.hosts.scripts import (
    Asks,
    Script,
    again,
    answered_by_the_page,
    as_if_said,
    at_once,
    choosing,
    filled_in,
    judged_and_dictated,
    left_out,
    picked,
    saying,
    tagged,
    thread_of,
)

HALF = (
    '"created_at": "a time", "type": "assistant_message", '
    '"content": [{"annotations": [], "text": "Half", "type": "output_text"}]}'
)
KEPT = [
    f'+{{"type": "thread.item.done", "item": {{"id": "#2", "thread_id": "#0", {HALF}}}',
    f'+{{"id": "#2", "thread_id": "#1", {HALF}',
]
"""Half an answer before an error: bare it stays open on the screen, and a reload has lost it."""


@dataclass(frozen=True)
class Case:
    """What is asked of a server, and what is told otherwise than by the bare SDK."""

    host: type[ChatKitServer[Any]]
    script: Script
    differs: Sequence[str] = ()


CASES = {
    "the quick start": Case(servers.QuickStart, saying("hello", "again")),
    "an answer is tried again": Case(servers.QuickStart, again),
    "a model and a tool are chosen": Case(servers.QuickStart, choosing),
    "a widget": Case(servers.Seats, saying("hello")),
    "an action": Case(servers.Seats, picked),
    "an action as if it were said": Case(servers.AsIf, as_if_said),
    "a client tool that is answered": Case(servers.Client, answered_by_the_page),
    "a form that is filled in": Case(servers.Asking, filled_in),
    "an agent as the samples have one": Case(servers.Looking, saying("hello", "again")),
    "an error of the host's": Case(servers.Failing, saying("custom"), KEPT),
    "an error of the SDK's": Case(servers.Failing, saying("stream"), KEPT),
    "an exception": Case(servers.Failing, saying("boom"), KEPT),
    "removed, replaced, metadata, status, allow_cancel=false": Case(
        servers.Editing, saying("a", "drop", "lock")
    ),
    "a guardrail": Case(servers.Guarded, saying("hello")),
    "a picture in its own data": Case(servers.Big, saying("hello")),
    "a widget that is written, and one whose parts change": Case(showing.Writing, saying("hello")),
    "every widget": Case(showing.Gallery, saying("hello")),
    "workflows with all kinds of tasks, a task, the end of a turn": Case(
        showing.Working, saying("hello", "again")
    ),
    "sources in two parts of an answer": Case(showing.Citing, saying("hello")),
    "effects": Case(showing.Effects, saying("hello")),
    "notices and progress": Case(showing.Notices, saying("hello")),
    "hidden context": Case(showing.Hiding, saying("hello", "again")),
    "a title, metadata and a closed thread": Case(
        showing.Retitling, saying("hello", "again", "close")
    ),
    "a form that is filled in by half, and one that is skipped": Case(showing.Choosing, left_out),
    "sync actions": Case(showing.AtOnce, at_once("seat.look", "seat.nothing", "seat.look")),
    "a verdict, and a message that is said aloud": Case(showing.Hearing, judged_and_dictated),
    "a converter that reads tags": Case(showing.Converting, tagged),
}


async def told_by(asks: Asks, case: Case) -> tuple[list[str], list[str]]:
    if model := getattr(case.host, "model", None):
        model.n = 0
    frames = await case.script(asks)
    (reload,) = await asks.ask(items(thread_of(frames)))
    return _masked(comparable(frames)), _masked(comparable(reload["data"]))


def _masked(told: list[str]) -> list[str]:
    """With one word for a picture that bare is data, and here a file at an address."""
    return [_PICTURE.sub('"a picture"', line) for line in told]


_PICTURE = re.compile(r'"(?:data:image/|http://[^"]*/attachments/att_)[^"]*"')


def differences(bare: list[str], bridge: list[str]) -> list[str]:
    told = unified_diff(bare, bridge, lineterm="", n=0)
    return [line for line in told if not line.startswith(("---", "+++", "@@"))]
