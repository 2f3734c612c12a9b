"""A chat in the terminal, over the same HTTP endpoint as any other client."""

import json
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import httpx2

from chatbridge.entrypoints.screen import Screen
from chatbridge.entrypoints.signing_in import nothing_at
from chatbridge.entrypoints.terminal.asks import NOT_HERE, Ask, OfServer, PageCall, Person, asks_in
from chatbridge.entrypoints.terminal.forms import forms_in
from chatbridge.entrypoints.terminal.items import badges_in, lines_of, text_of

_WIDTH = 70
_STREAMED = {"Accept": "text/event-stream"}
_UNREADABLE = (AttributeError, LookupError, RuntimeError, TypeError, ValueError)


class ChatRefused(Exception):
    """The server said no, or can't be reached; the text is for the person."""


class WrongAnswer(ChatRefused):
    """What was answered does not fit what was asked, which is still asked."""


class ChatLost(ChatRefused):
    """The connection was lost; what was said so far is kept."""


class Terminal:
    """One person's chat, which is shown on `screen` as it comes.

    `person` is asked what there is to ask of them. Without one, that stays asked.
    """

    def __init__(self, url: str, token: str, screen: Screen, person: Person | None = None) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        self._http = httpx2.Client(
            base_url=url, headers=headers, timeout=httpx2.Timeout(10, read=120)
        )
        self._screen = screen
        self._person = person
        self._asked: dict[str, list[Ask]] = {}
        self._badges: dict[str, str] = {}
        self._opened: dict[str, list[str]] = {}
        self._written: set[str] = set()
        self._filled_in: set[str] = set()
        self._thinking = self._in_line = False
        self.conversation_id: str | None = None

    def close(self) -> None:
        """Leave the connections."""
        self._http.close()

    def say(self, text: str) -> None:
        """Send a message and write the answer. Raises ChatRefused."""
        # what was asked before, it withdraws
        self._asked.clear()
        asked: dict[str, Any] = {
            "content": [{"type": "input_text", "text": text}],
            "attachments": [],
            "inference_options": {},
        }
        operation = "threads.add_user_message" if self.conversation_id else "threads.create"
        self._stream({"type": operation, "params": {"input": asked}})
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
                # a tool of a page is that page's, which may run it just now
                asks = (each for each in asks_in(item) if not isinstance(each, PageCall))
                self._asked[str(item.get("id"))] = [*asks]
                self._show(item)
                self._answer_meanwhile(str(item.get("id")), item.get("widget"))
        self._ask_person()

    def _ask_person(self) -> None:
        """Have each that asks answered, one after the other."""
        while asked := [(id, each) for id, found in self._asked.items() for each in found]:
            before = {id: [*found] for id, found in self._asked.items()}
            answer = self._answer_of(asked)
            if answer is None:
                self._screen.say("(It waits until somebody answers, at a terminal or a page.)\n")
                return
            try:
                self._stream(answer)
            except WrongAnswer as error:
                self._screen.say(f"! {error}\n", "danger")
                self._asked = before

    def _answer_of(self, asked: list[tuple[str, Ask]]) -> dict[str, Any] | None:
        """The answer to the first that can be answered here, which is then asked no more."""
        for id, each in asked:
            match each:
                case PageCall(name=name):
                    self._asked[id].remove(each)
                    self._screen.say(f"  {name}: {NOT_HERE}\n", "secondary")
                    return each.answered()
                case _ if self._person:
                    self._say_lines(each.lines, "    ")
                    answer = each.answered(self._person)
                    self._asked[id].remove(each)
                    return answer
                case _:
                    self._say_lines(each.lines, "    ")
        return None

    def _say_lines(self, lines: Sequence[str], indent: str = "") -> None:
        for line in lines:
            self._screen.say(f"{indent}{line}\n", "secondary")

    def _stream(self, request: dict[str, Any]) -> None:
        if self.conversation_id:
            request["params"]["thread_id"] = self.conversation_id
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
            case {"type": "thread.item.added", "item": item}:
                self._hear(item)
            case {"type": "thread.item.done" | "thread.item.replaced", "item": item}:
                self._hear(item)
                self._end(item)
            case {"type": "notice", "message": message, "level": level}:
                self._end_line()
                self._screen.say(f"{_titled(event)}{message}\n", level)
            case {"type": "thread.item.updated", "update": {"widget": part} | {"component": part}}:
                self._show_badges(part)
                self._answer_meanwhile(str(event.get("item_id")), part)
            case {"type": "error"}:
                self._end_line()
                self._screen.say(f"! {event.get('message') or event.get('code')}\n", "danger")
            case _:
                pass

    def _end(self, item: Mapping[str, Any]) -> None:
        match item:
            case {"type": "assistant_message", "id": id}:
                # one that was whole at once has come without a delta
                if id not in self._written:
                    self._write(text_of(item))
                self._end_line()
            case {"type": "user_message" | "client_tool_call" | "structured_input"}:
                pass
            case _:
                self._show(item)

    def _show(self, item: Mapping[str, Any]) -> None:
        match item:
            case {"type": "user_message"}:
                self._screen.say(f"> {text_of(item)}\n")
            case {"type": "assistant_message"}:
                self._screen.say(text_of(item) + "\n\n")
            case {"type": "widget", "widget": widget} if any(badges_in(widget)):
                self._show_badges(widget)
            case _:
                self._show_lines(str(item.get("id")), lines_of(item))

    def _show_lines(self, id: str, lines: list[str]) -> None:
        if self._opened.get(id) != lines:
            self._opened[id] = lines
            self._end_line()
            self._say_lines(lines)

    def _hear(self, item: Mapping[str, Any]) -> None:
        """What it asks now, and how its calls stand."""
        self._asked[str(item.get("id"))] = asks_in(item)
        self._show_badges(item.get("widget"))
        self._answer_meanwhile(str(item.get("id")), item.get("widget"))

    def _answer_meanwhile(self, id: str, part: Any) -> None:
        """What is asked by a call that goes on: its turn says no more until it is answered."""
        for asked in forms_in(id, part):
            if self._person and asked.live and asked.named not in self._filled_in:
                self._filled_in.add(asked.named)
                self._fill_in(OfServer(asked), self._person)

    def _fill_in(self, each: OfServer, person: Person) -> None:
        self._say_lines(each.lines, "    ")
        answer = each.answered(person)
        answer["params"]["thread_id"] = self.conversation_id
        try:
            _checked(self._http.post("/chatkit", json=answer))
        except WrongAnswer as error:
            self._screen.say(f"! {error}\n", "danger")
            self._fill_in(each, person)
        except ChatRefused as error:
            # it is asked no more: the turn goes on, and says so
            self._screen.say(f"! {error}\n", "danger")

    def _show_badges(self, widget: Any) -> None:
        for key, title, label, color, details in badges_in(widget):
            if self._badges.get(key) != label:
                self._badges[key] = label
                self._end_line()
                self._screen.say(f"  {title} ")
                self._screen.say(f"[{label}]", color)
                self._screen.say("\n")
                self._say_lines(self._further(key, details), "    ")

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
        words = f"{problem['detail']} ({response.status_code} {problem['code']})"
        raise WrongAnswer(words) if problem["code"] == "wrong_answer" else ChatRefused(words)
    except (ValueError, KeyError) as error:
        raise ChatRefused(f"The server answered {response.status_code}.") from error


def _titled(notice: Mapping[str, Any]) -> str:
    return f"{notice['title']}: " if notice.get("title") else ""
