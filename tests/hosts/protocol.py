"""All of the protocol in docs/chatkit.md: the SDK's unions, and where each member is served.

`python -m tests.hosts.protocol`, which `make contract` runs, writes it between its markers.
"""

import asyncio
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from chatkit.types import ChatKitReq, ThreadItem, ThreadItemUpdate, ThreadStreamEvent
from chatkit.widgets import StrictWidgetComponent, StrictWidgetRoot
from pydantic import BaseModel

from chatbridge.entrypoints.chatkit.operations import OPERATIONS, type_of
from tests.chatkit_client import Json, items
from tests.hosts.bare import Bare
from tests.hosts.cases import CASES
from tests.hosts.scripts import Asks, thread_of

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "chatkit.md"
_BLOCK = re.compile(r"(<!-- protocol -->\n).*?(<!-- end -->)", re.DOTALL)

UNIONS = {
    "Operation": ChatKitReq,
    "Item": ThreadItem,
    "Event": ThreadStreamEvent,
    "Update of an item": ThreadItemUpdate,
    "Widget": StrictWidgetRoot | StrictWidgetComponent,
}

_HTTP = "tests/integration/http/"
_TURN, _CONVERSATIONS = f"{_HTTP}test_turn.py", f"{_HTTP}test_conversations.py"
_EVENTS = "tests/unit/entrypoints/chatkit/test_events.py"
_SHOWN = f"{_TURN}::test_what_is_shown_is_what_a_reload_shows"
_TEXT = f"{_EVENTS}::test_a_text_is_shown_as_it_is_said"
_CARD = f"{_EVENTS}::test_two_tools_side_by_side_share_a_card_and_one_may_fail"
_LINES = "tests/unit/adapters/chatkit/items/test_mapping.py"
_LINE = f"{_LINES}::test_the_calls_of_one_step_are_lines_of_one_card"
_DETAILS = f"{_LINES}::test_details_are_what_was_asked_and_what_came_of_it"
_SOURCE = f"{_EVENTS}::test_a_source_is_named_as_soon_as_it_is_known_and_stays_with_the_message"

_SHOWING = f"{_HTTP}test_showing_agent.py"
_ATTACHMENTS = f"{_HTTP}test_attachments.py"
_SAMPLES = f"{_SHOWING}::test_a_tool_of_the_samples_shows_what_it_shows_with_the_bare_sdk"
_TASKS = f"{_SHOWING}::test_tasks_of_all_kinds_stand_in_a_workflow_and_alone"
_WORDS = f"{_SHOWING}::test_short_words_say_what_their_events_say"
_THOUGHTS = f"{_HTTP}test_thoughts.py::test_they_are_told_as_the_sdk_tells_them"
_PRESS = f"{_SHOWING}::test_a_press_changes_the_widget_and_the_agent_answers_it"

_ASKING = f"{_HTTP}test_asking.py"
_PAGE = f"{_ASKING}::test_the_page_runs_what_the_model_asked_for_and_the_answer_goes_on"
_FORM = f"{_ASKING}::test_questions_are_answered_with_words_of_ones_own"

_MADE = "tests/integration/http/test_made_files.py"
_GROWS = f"{_MADE}::test_a_picture_that_grows_is_kept_as_it_is_last"
BY_AN_AGENT: Mapping[str, str] = {
    "generated_image": _GROWS,
    "generated_image.updated": _GROWS,
    "threads.create": _SHOWN,
    "threads.add_user_message": f"{_CONVERSATIONS}::test_both_surfaces_go_on_with_one_conversation",
    "threads.retry_after_item": f"{_TURN}::test_the_old_answer_stays_until_the_new_one_is_whole",
    "threads.get_by_id": f"{_CONVERSATIONS}::test_a_thread_is_shown_with_its_items",
    "threads.list": f"{_CONVERSATIONS}::test_threads_are_listed_like_conversations",
    "threads.update": f"{_CONVERSATIONS}::test_a_thread_is_renamed",
    "attachments.create": f"{_ATTACHMENTS}::test_two_phases_a_message_and_a_reload",
    "attachments.delete": (
        f"{_ATTACHMENTS}::test_it_is_taken_back_before_it_is_sent_and_goes_with_its_conversation"
    ),
    "threads.delete": f"{_CONVERSATIONS}::test_a_thread_is_deleted",
    "items.list": f"{_CONVERSATIONS}::test_items_are_listed_in_pages_that_join_up",
    "items.feedback": f"{_CONVERSATIONS}::test_feedback_is_given_again_and_again_and_read_back",
    "threads.custom_action": _PRESS,
    "threads.add_client_tool_output": _PAGE,
    "threads.add_structured_input": _FORM,
    "client_tool_call": _PAGE,
    "structured_input": _FORM,
    "threads.sync_custom_action": f"{_SHOWING}::test_a_press_that_is_answered_at_once_is_kept",
    "user_message": _SHOWN,
    "workflow": _TASKS,
    "task": _TASKS,
    "hidden_context_item": _SAMPLES,
    "end_of_turn": _WORDS,
    "client_effect": _WORDS,
    "notice": _WORDS,
    "thread.item.replaced": _PRESS,
    "widget.streaming_text.value_delta": _SAMPLES,
    "workflow.task.added": _THOUGHTS,
    "workflow.task.updated": _THOUGHTS,
    "assistant_message": _SHOWN,
    "widget": f"{_TURN}::test_a_slow_tool_is_shown_running_and_then_done",
    "thread.created": _SHOWN,
    "thread.updated": f"{_EVENTS}::test_a_title_is_told_with_the_whole_thread",
    "thread.item.added": _TEXT,
    "thread.item.updated": _TEXT,
    "thread.item.done": _TEXT,
    "thread.item.removed": f"{_EVENTS}::test_a_text_of_which_nothing_was_said_is_taken_away",
    "stream_options": _SHOWN,
    "progress_update": f"{_EVENTS}::test_a_tool_call_is_a_badge_that_changes",
    "error": f"{_EVENTS}::test_a_failure_is_told_and_closes_what_is_open",
    "assistant_message.content_part.added": _TEXT,
    "assistant_message.content_part.text_delta": _TEXT,
    "assistant_message.content_part.annotation_added": _SOURCE,
    "widget.component.updated": _CARD,
    "widget.root.updated": _CARD,
    "Card": _LINE,
    "Text": _LINE,
    "Badge": _LINE,
    "Row": _LINE,
    "Col": _LINE,
    "Markdown": _DETAILS,
}
"""What an agent shows or is asked, and the test that sees it."""

SERVED = {type_of(each) for each in OPERATIONS}


def members(union: Any) -> list[str]:
    """The `type` of each of the union's members, in its order."""
    return [_type_of(kind) for kind in _models(union)]


def _models(union: Any) -> Iterator[type[BaseModel]]:
    if isinstance(union, type) and issubclass(union, BaseModel):
        yield union
    else:
        for part in get_args(union):
            yield from _models(part)


def _type_of(kind: type[BaseModel]) -> str:
    (said,) = get_args(kind.model_fields["type"].annotation)
    return said


class Noting:
    """Asks somebody, and notes the types of all that was asked and told."""

    def __init__(self, asks: Asks) -> None:
        self._asks = asks
        self.types: set[str] = set()

    async def ask(self, request: Json) -> list[Json]:
        """What is told."""
        self.types.add(request["type"])
        told = await self._asks.ask(request)
        self._note(told)
        return told

    def _note(self, told: Any) -> None:
        if isinstance(told, list):
            for part in told:
                self._note(part)
        if isinstance(told, dict):
            self.types |= {told["type"]} if isinstance(told.get("type"), str) else set()
            for part in told.values():
                self._note(part)


async def shown_by_servers() -> dict[str, str]:
    """Each type, and the first of the compared servers that shows it or is asked for it."""
    found: dict[str, str] = {}
    for name, case in CASES.items():
        if model := getattr(case.host, "model", None):
            model.n = 0
        bare = Bare(case.host)
        noting = Noting(bare)
        await noting.ask(items(thread_of(await case.script(noting))))
        kept = {item.type for thread in bare.store.items.values() for item in thread.values()}
        for type in noting.types | kept:
            found.setdefault(type, name)
    return found


def tables(servers: Mapping[str, str]) -> str:
    """A table for each union, and what nobody serves; `servers` says which server shows what."""
    each = ["\n".join(_table(kind, servers)) for kind in UNIONS]
    names = [name for union in UNIONS.values() for name in members(union)]
    missing = [n for n in names if n not in BY_AN_AGENT and _by_a_server(n, servers) == "no"]
    later = f"Served by neither, and left for later: {', '.join(f'`{n}`' for n in missing)}."
    return "\n\n".join([*each, *([later] if missing else [])])


def _table(kind: str, servers: Mapping[str, str]) -> Iterator[str]:
    names = members(UNIONS[kind])
    yield f"| {kind} ({len(names)}) | By an agent | By a server of your own |"
    yield "|---|---|---|"
    for name in names:
        # what an agent shows is not looked into: it may be any widget
        otherwise = "as by a server" if kind == "Widget" else "no"
        agent = f"`{BY_AN_AGENT[name]}`" if name in BY_AN_AGENT else otherwise
        yield f"| `{name}` | {agent} | {_by_a_server(name, servers)} |"


def _by_a_server(name: str, servers: Mapping[str, str]) -> str:
    if name in servers:
        return servers[name]
    return "as by an agent" if name in SERVED else "no"


def filled(document: str, servers: Mapping[str, str]) -> str:
    """The document with the tables between its markers."""
    return _BLOCK.sub(lambda found: f"{found[1]}\n{tables(servers)}\n\n{found[2]}", document)


def main() -> None:
    """Write it."""
    text = DOCUMENT.read_text(encoding="utf-8")
    DOCUMENT.write_text(filled(text, asyncio.run(shown_by_servers())), encoding="utf-8")


if __name__ == "__main__":
    main()
