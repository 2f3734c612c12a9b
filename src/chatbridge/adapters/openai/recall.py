"""What a model has read of a conversation before it answers: the window, or a counterpart."""

import asyncio
import json
import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import dropwhile, takewhile
from typing import Any, Protocol, cast

from agents import TResponseInputItem
from openai import NotFoundError

from chatbridge.adapters.openai.conversations import Conversations
from chatbridge.adapters.openai.failure_line import failure_line
from chatbridge.adapters.openai.files import Files
from chatbridge.adapters.openai.messages import model_input
from chatbridge.adapters.openai.replay import read_only
from chatbridge.domain.model.counterpart import Counterpart, CounterpartId
from chatbridge.domain.model.errors import NotFound, Unavailable
from chatbridge.domain.model.identifiers import ConversationId, MessageId, UserId
from chatbridge.domain.model.limits import MAX_LIMIT
from chatbridge.domain.model.message import Message, Words, content_of
from chatbridge.domain.model.page import PageRequest
from chatbridge.domain.model.turn import Ending, Turn
from chatbridge.ports.agent_runner import AgentRequest
from chatbridge.ports.conversation_repository import ConversationRepository
from chatbridge.ports.counterpart_repository import CounterpartRepository

log = logging.getLogger(__name__)

MOST_ITEMS = 100
"""Of a counterpart, which is read twenty at a time before a model is asked."""

_SECONDS = 10.0

_Place = tuple[UserId, ConversationId]
_Items = list[TResponseInputItem]


class Recall(Protocol):
    """What the model is given to read for a turn, the message to be answered at its end."""

    async def read(self, request: AgentRequest, files: Files) -> _Items:
        """Never raises for what is away. The `files` of the window are read with its messages."""
        ...

    def kept(self, turn: Turn, ending: Ending) -> None:
        """The turn is kept as completed."""
        ...

    async def close(self) -> None:
        """Nothing is read or kept from now on."""
        ...


class WindowRecall(Recall):
    """The window of what is kept here."""

    def __init__(self, words: Words = content_of) -> None:
        self._words = words

    async def read(self, request: AgentRequest, files: Files) -> _Items:
        return _with_what_rested(request.window, request, files.beside(self._words))

    def kept(self, turn: Turn, ending: Ending) -> None: ...

    async def close(self) -> None: ...


class CounterpartRecall(Recall):
    """The last items of the conversation's counterpart, which is written when a turn is kept.

    One that holds what is kept up to a known message is read, and what is behind that message is
    read from the window, and added when a turn is completed. Of any other nothing is read: the turn
    reads what is kept here, and a new one is made when it is completed. None is ever mended.
    `replaced` is called when one may have been left over.
    """

    def __init__(
        self,
        remote: Conversations,
        counterparts: CounterpartRepository,
        conversations: ConversationRepository,
        *,
        words: Words,
        max_characters: int,
        log_words: bool = False,
        replaced: Callable[[], None] = lambda: None,
    ) -> None:
        self._remote = remote
        self._counterparts = counterparts
        self._conversations = conversations
        self._words = words
        self._max_characters = max_characters
        self._log_words = log_words
        self._replaced = replaced
        self._writing: dict[_Place, asyncio.Task[None]] = {}

    async def read(self, request: AgentRequest, files: Files) -> _Items:
        """See the protocol. What is just being written here is waited for, 10 s at most."""
        place, words = _place(request.turn), files.beside(self._words)
        try:
            if writing := self._writing.get(place):
                await asyncio.wait({writing}, timeout=_SECONDS)
            items = await self._of_counterpart(request, words)
            items = items or await self._of_what_is_kept(request, words)
        except Unavailable:
            return _with_what_rested(request.window, request, words)
        return newest(items, self._max_characters)

    def kept(self, turn: Turn, ending: Ending) -> None:
        """Write in the background what the counterpart does not hold of it."""
        ids = {message.id for message in (turn.subject, *ending.messages) if message}
        if not ids:
            return
        place = _place(turn)
        writing = asyncio.create_task(self._write_after(self._writing.get(place), place, ids))
        self._writing[place] = writing
        writing.add_done_callback(lambda done: self._written(place, done))

    async def close(self) -> None:
        """See the protocol. What is being written is waited for, 10 s at most."""
        if self._writing:
            _, late = await asyncio.wait(self._writing.values(), timeout=_SECONDS)
            for task in late:
                task.cancel()

    # --- read

    async def _of_counterpart(self, request: AgentRequest, words: Words) -> _Items | None:
        """None where there is none that can be read on from."""
        known = await self._counterparts.of(*_place(request.turn))
        if known is None or known.through is None or not _goes_on(known.through, request):
            return None
        missed = [m for m in request.window if not m.position or m.position > known.through]
        try:
            held = await self._remote.read(known.id, MOST_ITEMS)
        except Exception as error:
            log.warning("counterpart_not_read: %s", self._said(error))
            if isinstance(error, NotFoundError):
                await self._counterparts.part(known.user_id, known.id)
            return None
        return [*self._with_files(held, request, words), *_with_what_rested(missed, request, words)]

    # a counterpart holds the names of files, and the window still has what is in them
    def _with_files(self, held: _Items, request: AgentRequest, words: Words) -> _Items:
        told = {
            self._words(m): words(m) for m in request.window if m.attachments and m.role == "user"
        }
        if not told:
            return held
        items = [cast(dict[str, Any], item) for item in held]
        found = [told.get(_text_of(item)) for item in items]
        again = ({**i, "content": t} if t else i for i, t in zip(items, found, strict=True))
        return [cast(TResponseInputItem, item) for item in again]

    async def _of_what_is_kept(self, request: AgentRequest, words: Words) -> _Items:
        if request.window and request.window[0].position == 1:
            return _with_what_rested(request.window, request, words)
        subject = request.turn.subject
        page = await self._conversations.messages(
            *_place(request.turn),
            PageRequest(limit=MAX_LIMIT, order="desc", after=subject and subject.id),
            notes=True,
        )
        said = [m for m in request.window if not m.position]
        read = (*reversed(page.items), *([subject] if subject else []), *said)
        return _with_what_rested(read, request, words)

    # --- write

    async def _write_after(
        self, earlier: asyncio.Task[None] | None, place: _Place, ids: Collection[MessageId]
    ) -> None:
        if earlier:
            await asyncio.wait({earlier})
        try:
            await self._write(place, ids)
        except NotFound:
            self._replaced()  # the conversation was deleted meanwhile
        except Exception as error:
            log.warning("counterpart_not_written: %s", self._said(error))

    async def _write(self, place: _Place, ids: Collection[MessageId]) -> None:
        known = await self._counterparts.take(*place)
        if known and known.through is not None and await self._goes_on(known, place, ids):
            return
        id = await self._new(place)
        self._replaced()
        messages, _ = await self._kept(place, ids)
        items = newest(model_input(messages, self._words), self._max_characters)
        await self._add(place, id, messages, items)

    async def _goes_on(self, known: Counterpart, place: _Place, ids: Collection[MessageId]) -> bool:
        """Whether what is missing in the counterpart could be added to it."""
        after = known.through or 0
        messages, reached = await self._kept(place, ids, after)
        if reached:
            try:
                items = model_input(messages, self._words)
                await self._add(place, known.id, messages, items, after)
            except NotFoundError:
                return False
        return reached

    async def _new(self, place: _Place) -> CounterpartId:
        id = await self._remote.begin()
        try:
            await self._counterparts.give(*place, id)
        except Unavailable:
            await self._remote.delete(id)
            raise
        return id

    async def _kept(
        self, place: _Place, ids: Collection[MessageId], after: int = 0
    ) -> tuple[list[Message], bool]:
        """The newest messages behind position `after`, up to the last of `ids` that was said; and
        whether these are all of them.
        """
        request = PageRequest(limit=MAX_LIMIT, order="desc")
        page = await self._conversations.messages(*place, request, notes=True)
        said = [*dropwhile(lambda m: m.id not in ids, page.items)]
        behind = [*takewhile(lambda m: m.position > after, said)]
        # what was shown and noted is told with the person's next message
        spoken = [*dropwhile(lambda m: m.kind in ("note", "shown"), behind)]
        return spoken[::-1], len(behind) < len(said) or page.next is None

    async def _add(
        self,
        place: _Place,
        id: CounterpartId,
        messages: Sequence[Message],
        items: _Items,
        after: int = 0,
    ) -> None:
        await self._remote.add(id, items)
        await self._counterparts.hold(place[0], id, messages[-1].position if messages else after)

    def _written(self, place: _Place, done: asyncio.Task[None]) -> None:
        if self._writing.get(place) is done:
            del self._writing[place]

    def _said(self, error: Exception) -> str:
        return failure_line(error, words=self._log_words)


def _with_what_rested(
    messages: Iterable[Message], request: AgentRequest, words: Words
) -> list[TResponseInputItem]:
    """The messages, and behind them what the turn itself has said before it rested."""
    before = request.before
    payloads = before.payloads if before else {}
    return model_input((*messages, *read_only(before)), words, payloads)


def newest(items: _Items, max_characters: int) -> _Items:
    """The last items, 100 at most and as many as are so long, from a question on; at least those
    from the last question on.
    """
    begin, size = len(items), 0
    for place in range(len(items) - 1, max(0, len(items) - MOST_ITEMS) - 1, -1):
        size += len(json.dumps(items[place]))
        if size > max_characters:
            break
        begin = place
    asked = [n for n, item in enumerate(items) if cast(dict[str, Any], item).get("role") == "user"]
    return items[next((n for n in asked if n >= begin), asked[-1] if asked else begin) :]


def _goes_on(through: int, request: AgentRequest) -> bool:
    """Whether the window begins where the counterpart ends, or before that; and what is answered
    comes later than that."""
    subject, window = request.turn.subject, request.window
    if subject and subject.position <= through:
        return False
    return not window or window[0].position <= through + 1


def _text_of(item: dict[str, Any]) -> str:
    """What a person says in an item, in whatever form it is held."""
    said = item.get("content") if item.get("role") == "user" else None
    if isinstance(said, list):
        return "".join(str(part.get("text", "")) for part in cast(list[dict[str, Any]], said))
    return str(said or "")


def _place(turn: Turn) -> _Place:
    return turn.conversation.user_id, turn.conversation.id
