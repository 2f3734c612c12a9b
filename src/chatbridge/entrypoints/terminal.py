"""A chat in the terminal, over the same HTTP endpoint as any other client."""

import json
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import httpx2

from chatbridge.entrypoints.screen import Screen, Verdict
from chatbridge.entrypoints.signing_in import nothing_at

_WIDTH = 70
_WRITTEN = ("Text", "Caption", "Markdown")
_STREAMED = {"Accept": "text/event-stream"}
_UNREADABLE = (AttributeError, LookupError, RuntimeError, TypeError, ValueError)


class ChatRefused(Exception):
    """The server said no, or can't be reached; the text is for the person."""


class Question(NamedTuple):
    """What a call would be called with, in lines, and the actions that answer it."""

    lines: list[str]
    approve: Mapping[str, Any]
    reject: Mapping[str, Any]
    approve_for_conversation: Mapping[str, Any] | None = None

    def answered(self, verdict: Verdict) -> Mapping[str, Any]:
        """As the button is pressed, or the form is sent with this reason in it."""
        if verdict.approved:
            return (verdict.stands and self.approve_for_conversation) or self.approve
        return {**self.reject, "payload": {**self.reject["payload"], "reason": verdict.reason}}


class ChatLost(ChatRefused):
    """The connection was lost; what was said so far is kept."""


class Terminal:
    """One person's chat, which is shown on `screen` as it comes.

    `verdict` asks the person whether a call may run, and where it is given True, whether all of
    its tool may in this conversation. Without it, what is asked stays so.
    """

    def __init__(
        self,
        url: str,
        token: str,
        screen: Screen,
        verdict: Callable[[bool], Verdict] | None = None,
    ) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        self._http = httpx2.Client(
            base_url=url, headers=headers, timeout=httpx2.Timeout(10, read=120)
        )
        self._screen = screen
        self._verdict = verdict
        self._asked: dict[str, list[Question]] = {}
        self._badges: dict[str, str] = {}
        self._opened: dict[str, list[str]] = {}
        self._written: set[str] = set()
        self._thinking = self._in_line = False
        self.conversation_id: str | None = None

    def say(self, text: str) -> None:
        """Send a message and write the answer. Raises ChatRefused."""
        asked: dict[str, Any] = {
            "content": [{"type": "input_text", "text": text}],
            "attachments": [],
            "inference_options": {},
        }
        if self.conversation_id:
            params = {"input": asked, "thread_id": self.conversation_id}
            self._stream({"type": "threads.add_user_message", "params": params})
        else:
            self._stream({"type": "threads.create", "params": {"input": asked}})
        self._ask_person()

    def show_history(self) -> None:
        """Write what was said last: as much as is on a page. Raises ChatRefused."""
        params = {"thread_id": self.conversation_id, "order": "desc", "limit": 100}
        with self._told():
            request = {"type": "items.list", "params": params}
            page = _checked(self._http.post("/chatkit", json=request)).json()
            if page.get("has_more"):
                self._screen.say("(There is more before this.)\n", "secondary")
            for item in reversed(page["data"]):
                self._show(item)
        self._ask_person()

    def _ask_person(self) -> None:
        """Have each call that asks answered, one after the other."""
        while asked := [(id, each) for id, found in self._asked.items() for each in found]:
            item_id, question = asked[0]
            for line in question.lines:
                self._screen.say(f"    {line}\n", "secondary")
            if self._verdict is None:
                self._screen.say("(It waits until somebody answers, at a terminal or a page.)\n")
                return
            verdict = self._verdict(question.approve_for_conversation is not None)
            action = question.answered(verdict)
            params = {"thread_id": self.conversation_id, "item_id": item_id, "action": action}
            self._asked[item_id].remove(question)
            self._stream({"type": "threads.custom_action", "params": params})

    def _stream(self, request: Mapping[str, Any]) -> None:
        with (
            self._told(),
            self._http.stream("POST", "/chatkit", json=request, headers=_STREAMED) as response,
        ):
            _checked(response)
            self.conversation_id = response.headers["x-conversation-id"]
            for frame in httpx2.EventSource(response, max_event_size=None):
                self._on(json.loads(frame.data))
        self._end_line()

    def _on(self, event: Mapping[str, Any]) -> None:
        match event:
            case {"type": "progress_update", "text": text}:
                self._think(text)
            case {"type": "thread.item.updated", "item_id": id, "update": {"delta": str(delta)}}:
                self._written.add(id)
                self._write(delta)
            case {"item": {"type": "widget"} as item}:
                self._show_widget(item)
            case {"type": "thread.item.done", "item": item}:
                self._end(item)
            case {"type": "thread.item.updated", "update": {"widget": part} | {"component": part}}:
                self._show_badges(part)
            case {"type": "error", "message": message}:
                self._end_line()
                self._screen.say(f"! {message}\n", "danger")
            case _:
                pass

    def _end(self, item: Mapping[str, Any]) -> None:
        match item:
            case {"type": "assistant_message", "id": id}:
                # one that was whole at once has come without a delta
                if id not in self._written:
                    self._write(_text(item))
                self._end_line()
            case {"type": "workflow"}:
                self._end_line()
                self._show(item)
            case _:
                pass

    def _show(self, item: Mapping[str, Any]) -> None:
        match item:
            case {"type": "user_message", "content": content}:
                self._screen.say("> " + "".join(part["text"] for part in content) + "\n")
            case {"type": "assistant_message"}:
                self._screen.say(_text(item) + "\n\n")
            case {"type": "widget"}:
                self._show_widget(item)
            case {"type": "workflow", "workflow": {"summary": {"duration": int(seconds)}}}:
                self._screen.say(f"(Thought for {seconds} s)\n", "secondary")
            case {"type": "workflow", "workflow": {"summary": {"title": str(title)}}}:
                self._screen.say(f"({title})\n", "secondary")
            case _:
                self._screen.say(f"({item['type']})\n")

    def _show_widget(self, item: Mapping[str, Any]) -> None:
        self._asked[str(item.get("id"))] = [*_questions(item["widget"])]
        self._show_badges(item["widget"])

    def _show_badges(self, widget: Mapping[str, Any]) -> None:
        for key, title, label, color, details in _badges(widget):
            if self._badges.get(key) != label:
                self._badges[key] = label
                self._end_line()
                self._screen.say(f"  {title} ")
                self._screen.say(f"[{label}]", color)
                self._screen.say("\n")
                for line in self._further(key, details):
                    self._screen.say(f"    {line}\n", "secondary")

    def _further(self, key: str, details: list[str]) -> list[str]:
        """What was not written of a call when it began: it can't be written over."""
        known, self._opened[key] = self._opened.get(key, []), details
        return details[len(known) :] if details[: len(known)] == known else details

    def _think(self, text: str) -> None:
        # it is taken back with its line, words and all
        if self._screen.colored and not self._thinking and not self._in_line:
            self._screen.say(f"{' '.join(text.split())[:_WIDTH]}…", "secondary")
            self._thinking = True

    def _end_thinking(self) -> None:
        if self._thinking:
            self._screen.erase_line()
            self._thinking = False

    def _write(self, words: str) -> None:
        self._end_thinking()
        self._screen.say(words)
        self._in_line = not words.endswith("\n") if words else self._in_line

    def _end_line(self) -> None:
        self._end_thinking()
        if self._in_line:
            self._screen.say("\n")
            self._in_line = False

    @contextmanager
    def _told(self) -> Generator[None]:
        try:
            yield
        except httpx2.ConnectError as error:
            raise ChatRefused(nothing_at(str(self._http.base_url))) from error
        except httpx2.HTTPError as error:
            raise ChatLost(
                f"The connection was lost ({type(error).__name__}). What was said so far is kept."
            ) from error
        except _UNREADABLE as error:
            raise ChatRefused(
                f"What {self._http.base_url} answers can't be read ({type(error).__name__}); is it "
                "chatbridge, and of this version?"
            ) from error


def _checked(response: httpx2.Response) -> httpx2.Response:
    if response.is_success:
        return response
    response.read()
    try:
        problem = response.json()
        raise ChatRefused(f"{problem['detail']} ({response.status_code} {problem['code']})")
    except (ValueError, KeyError) as error:
        raise ChatRefused(f"The server answered {response.status_code}.") from error


def _badges(part: Mapping[str, Any]) -> Generator[tuple[str, str, str, str, list[str]]]:
    """Of each call in a part of a widget its key, its title, its state with a colour, and what else
    is told of it, in lines. A widget of somebody else's has none.
    """
    match part:
        case {"key": str(key), "children": [{"children": list()} as row, *_]}:
            told = {each["type"]: each for each in row["children"]}
            if "Badge" in told and "Text" in told:
                badge, details = told["Badge"], _details(part["children"][1:])
                yield key, told["Text"]["value"], badge["label"], badge.get("color", ""), details
        case {"children": list()}:
            for inner in part["children"]:
                yield from _badges(inner)
        case _:
            pass


def _questions(part: Any) -> Generator[Question]:
    """What the lines of a card ask, by their buttons."""
    match part:
        case {
            "type": "Form",
            "onSubmitAction": {"type": "chatbridge.reject"} as no,
            "children": [*asked, {"children": row}],
        }:
            written = [each for each in asked if each["type"] in _WRITTEN]
            yes, *more = (each["onClickAction"] for each in row if "onClickAction" in each)
            yield Question(_lines(written), yes, no, *more)
        case {"children": list()}:
            for inner in part["children"]:
                yield from _questions(inner)
        case _:
            pass


def _text(item: Mapping[str, Any]) -> str:
    return "".join(part["text"] for part in item["content"])


def _details(parts: Sequence[Mapping[str, Any]]) -> list[str]:
    opened = (part["children"] for part in parts if part.get("key") == "chatbridge-details")
    return _lines([each for children in opened for each in children])


def _lines(inside: Sequence[Mapping[str, Any]]) -> list[str]:
    told = [(part["type"], line) for part in inside for line in str(part["value"]).splitlines()]
    return [line for kind, line in told if kind != "Markdown" or not line.startswith("```")]
