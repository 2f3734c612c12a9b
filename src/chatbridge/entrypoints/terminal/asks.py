"""What an item asks of whoever sits at the terminal, and the requests that answer it."""

from collections.abc import Generator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from chatbridge.domain.model.question import Answers, Choice, Form, Question
from chatbridge.entrypoints.screen import Verdict
from chatbridge.entrypoints.terminal.forms import ServersForm, filled_in, forms_in
from chatbridge.entrypoints.terminal.items import lines_in

Json = dict[str, Any]

NOT_HERE = "This tool runs in a page, and is not available in a terminal."
_WRITTEN = ("Text", "Caption", "Markdown")


class Person(Protocol):
    """Whoever answers."""

    def verdict(self, may_stand: bool) -> Verdict:
        """Whether a call may run; with `may_stand` all of its tool may in this conversation."""
        ...

    def answers(self, form: Form) -> Answers:
        """What is answered to the questions; nothing: they are skipped."""
        ...

    def takes_part(self, form: Form, words: str) -> bool:
        """Whether a tool server's form is filled in, or, without questions, agreed to."""
        ...


class Leave(NamedTuple):
    """A call that may be run or not: what it would be called with, in lines, and its buttons."""

    item_id: str
    lines: Sequence[str]
    approve: Mapping[str, Any]
    reject: Mapping[str, Any]
    approve_for_conversation: Mapping[str, Any] | None = None

    def answered(self, person: Person) -> Json:
        """As the button is pressed, or the form is sent with this reason in it."""
        verdict = person.verdict(self.approve_for_conversation is not None)
        return _asked("threads.custom_action", item_id=self.item_id, action=self._pressed(verdict))

    def _pressed(self, verdict: Verdict) -> Mapping[str, Any]:
        if verdict.approved:
            return (verdict.stands and self.approve_for_conversation) or self.approve
        return {**self.reject, "payload": {**self.reject["payload"], "reason": verdict.reason}}


class Questions(NamedTuple):
    """Questions in a form."""

    item_id: str
    form: Form
    lines: Sequence[str] = ()

    def answered(self, person: Person) -> Json:
        """As the form is sent, or skipped where nothing is answered."""
        answers = person.answers(self.form)
        told = {id: {"values": [*values]} for id, values in answers.items()}
        filled_in = {"status": "answered" if told else "skipped", "answers": told}
        return _asked("threads.add_structured_input", item_id=self.item_id, input=filled_in)


class OfServer(NamedTuple):
    """What a tool server asks, in the card of its call."""

    asked: ServersForm

    @property
    def lines(self) -> Sequence[str]:
        """Who asks, and for what."""
        return self.asked.lines

    def answered(self, person: Person) -> Json:
        """As the form is sent or declined; not as a turn where the answer goes on meanwhile."""
        asked = self.asked
        takes_part = person.takes_part(asked.form, asked.words)
        action = filled_in(asked, person.answers(asked.form)) if takes_part else asked.decline
        operation = "threads.sync_custom_action" if asked.live else "threads.custom_action"
        return _asked(operation, item_id=asked.item_id, action=action)


class PageCall(NamedTuple):
    """A tool of a page, which this is none of."""

    name: str

    def answered(self) -> Json:
        """The model is told so, and goes on."""
        return _asked("threads.add_client_tool_output", result=NOT_HERE)


Ask = Leave | Questions | OfServer | PageCall


def asks_in(item: Mapping[str, Any]) -> list[Ask]:
    """What the item asks, as it is now, of whoever goes on with its turn."""
    match item:
        case {"type": "widget", "widget": widget}:
            id = str(item.get("id"))
            forms = (OfServer(asked) for asked in forms_in(id, widget) if not asked.live)
            return [*_leave_in(id, widget), *forms]
        case {"type": "structured_input", "status": "pending", "id": id, "inputs": inputs}:
            return [Questions(id, Form(questions=tuple(map(_question, inputs))))]
        case {"type": "client_tool_call", "status": "pending", "name": name}:
            return [PageCall(name)]
        case _:
            return []


def _asked(type: str, **params: Any) -> Json:
    return {"type": type, "params": params}


def _leave_in(item_id: str, part: Any) -> Generator[Leave]:
    match part:
        case {
            "type": "Form",
            "onSubmitAction": {"type": "chatbridge.reject"} as no,
            "children": [*asked, {"children": row}],
        }:
            written = [each for each in asked if each["type"] in _WRITTEN]
            yes, *more = (each["onClickAction"] for each in row if "onClickAction" in each)
            yield Leave(item_id, lines_in(written), yes, no, *more)
        case {"children": list()}:
            for inner in part["children"]:
                yield from _leave_in(item_id, inner)
        case _:
            pass


def _question(asked: Mapping[str, Any]) -> Question:
    options = asked.get("options") or ()
    return Question(
        id=asked["id"],
        words=asked["question"],
        description=asked.get("description") or "",
        choices=tuple(Choice(value=each["value"]) for each in options),
        multiple=asked.get("multiple") is True,
        free=True,
    )
