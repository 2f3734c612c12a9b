"""What may happen in a random history, and how the answers of two stores are compared."""

from collections.abc import Awaitable
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from chatbridge.domain.model.errors import ChatbridgeError
from chatbridge.domain.model.identifiers import ConversationId, MessageId, UserId
from chatbridge.domain.model.message import Message
from chatbridge.domain.model.page import Page
from chatbridge.domain.model.turn import Changes, Once, Turn
from chatbridge.domain.model.turn_event import (
    Changed,
    EndState,
    Removed,
    Revised,
    Shown,
    Titled,
    Told,
    ToolCallFinished,
    ToolCallStarted,
    TurnEvent,
)
from chatbridge.ports.turn_journal import Outcome
from tests.contracts.steps import keep
from tests.contracts.store import ALICE, BOB, NOON, Store, call, message, said, tools

FIRST, *REST = [(o, ConversationId(c)) for o in (ALICE, BOB) for c in ("conv_1", "conv_2")]
SHOWN = [MessageId(f"msg_{n}") for n in range(4)]
SAID = [MessageId(f"says_{n}") for n in range(1, 5)]
ASKED = [MessageId(f"turn_{n}_asks") for n in range(4)]

Place = tuple[UserId, ConversationId]

# mostly one conversation, in which then much happens
places = st.sampled_from([FIRST] * 5 + REST)
owners = st.sampled_from([ALICE, BOB])
message_ids = st.sampled_from(SHOWN + SAID + ASKED)
orders = st.sampled_from(["asc", "desc"])
limits = st.integers(1, 4)
texts = st.sampled_from(["hello", "", "ü 👋🏽 '; --", "x" * 300])
ends: st.SearchStrategy[EndState] = st.sampled_from(
    ["completed", "completed", "failed", "cancelled", "interrupted"]
)


payloads = st.sampled_from([{}, {"z": 1, "a": [None, 2.5]}, {"a": "ü", "z": {"b": {}}}])


@st.composite
def revisions(draw: st.DrawFn) -> Revised:
    """What is another one in a conversation; mostly it stays open."""
    status = draw(st.sampled_from([None, None, None, None, "active", "active", "locked"]))
    return Revised(
        title=draw(st.none() | texts),
        status=status,
        status_reason=draw(st.none() | texts) if status else None,
        metadata=draw(st.none() | payloads),
    )


@st.composite
def entries(draw: st.DrawFn) -> Message:
    """A message of the assistant's, of any kind, that is yet to be given its id."""
    kind = draw(st.sampled_from(["text", "text", "partial", "tools", "shown", "note"]))
    if kind == "tools":
        return tools("")
    payload = draw(st.sampled_from([None, {}, {"z": 1, "a": [None, 2.5]}]))
    return message("", draw(texts), role="assistant", kind=kind, payload=payload)


@dataclass(frozen=True)
class Speech:
    """What a turn says, to its end or cut off; `of` is an entry that may be an earlier turn's."""

    kind: str
    text: str
    whole: bool
    of: MessageId
    payload: dict[str, Any]
    revised: Revised

    def events(self, id: str) -> tuple[TurnEvent, ...]:
        """Said in the message of this id."""
        match self.kind:
            case "text":
                return said(id, self.text, finished=self.whole)
            case "call":
                return self._call(MessageId(id))[: 1 + self.whole]
            case "title":
                return (Titled(title=f"{id} {self.text}"),)
            case "widget":
                return self._widget(MessageId(id))[: 2 + self.whole]
            case _:
                return (self._event(MessageId(id)),)

    def _event(self, id: MessageId) -> TurnEvent:
        match self.kind:
            case "note":
                return self._shown(id, "kept", kind="note")
            case "as if they had said it":
                return self._shown(id, "done", kind="text", role="user")
            case "replaced":
                return self._shown(self.of, "replaced", earlier=True)
            case "removed":
                return Removed(message_id=self.of, earlier=True, told=self.whole)
            case "revised":
                return self.revised
            case _:
                return Told(payload=self.payload)

    def _call(self, id: MessageId) -> tuple[TurnEvent, ...]:
        began = call(f"{id}_call", "running")
        ended = {"call_id": began.id, "state": "succeeded", "output": self.text, "at": NOON}
        start = ToolCallStarted(message_id=id, call=began)
        return (start, ToolCallFinished(message_id=id, **ended))

    def _widget(self, id: MessageId) -> tuple[TurnEvent, ...]:
        begun, changed = self._shown(id, "added"), Changed(message_id=id, payload=self.payload)
        return (begun, changed, self._shown(id, "done"))

    def _shown(self, id: MessageId, how: Any, **fields: Any) -> Shown:
        given = {"kind": "shown", "content": self.text, "payload": self.payload, **fields}
        return Shown(message_id=id, at=NOON, how=how, **given)


KINDS = (
    *("text", "text", "text", "call", "call", "title", "widget", "note", "as if they had said it"),
    *("replaced", "replaced", "removed", "revised", "told"),
)


@st.composite
def changes(draw: st.DrawFn) -> Changes:
    """What is another one outside of a turn."""
    replaced = {id: draw(entries()) for id in draw(st.lists(message_ids, max_size=2, unique=True))}
    return Changes(
        replaced=tuple(replace(entry, id=id) for id, entry in replaced.items()),
        removed=tuple(draw(st.lists(message_ids, max_size=1))),
        revised=draw(revisions()),
    )


onces = st.none() | st.builds(Once, key=st.sampled_from(["k", "l"]), digest=st.sampled_from("ab"))
speeches = st.builds(
    Speech,
    kind=st.sampled_from(KINDS),
    text=texts,
    whole=st.booleans(),
    of=message_ids,
    payload=payloads,
    revised=revisions(),
)


async def outcome(answering: Awaitable[Any]) -> Any:
    """What a call answers, or how it refuses."""
    try:
        return await answering
    except ChatbridgeError as error:
        return error


def comparable(value: Any) -> Any:
    """The value without what two stores can't have in common: their clocks and their cursors."""
    match value:
        case ChatbridgeError():
            return type(value), value.code
        case Page():
            return comparable(value.items), value.next is not None
        case datetime():
            lately = abs(value - datetime.now(UTC)) < timedelta(hours=1)
            return "lately" if lately else value.isoformat()
        case tuple() | list():
            return [comparable(each) for each in value]
        case _ if is_dataclass(value):
            return {f.name: comparable(getattr(value, f.name)) for f in fields(value)}
        case _:
            return value


async def sorted_places(stale: Awaitable[Any]) -> Any:
    """Places in one order: a store may give them in any."""
    return sorted(await stale)


@dataclass
class Spoken:
    """A turn as its holder remembers it: what it has said, and how much of that is kept."""

    turn: Turn
    events: list[TurnEvent]
    kept: int = 0


async def journaled(store: Store, spoken: Spoken) -> Outcome:
    """Keep what was said last, or don't, where the turn is somebody else's."""
    events = spoken.events[spoken.kept :]
    outcome = await keep(store, spoken.turn, *events, after=spoken.kept)
    if outcome in ("kept", "stop_asked"):
        spoken.kept = len(spoken.events)
    return outcome
