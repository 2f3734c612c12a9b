"""What a turn has said, as numbered events, and how many of these are kept."""

from collections.abc import Iterable
from dataclasses import replace

from chatbridge.domain.model.identifiers import ConversationId
from chatbridge.domain.model.transcript import Transcript
from chatbridge.domain.model.turn_event import (
    Numbered,
    Revised,
    TextDelta,
    TextStarted,
    Titled,
    ToolCallStarted,
    TurnEvent,
    TurnResumed,
)
from chatbridge.domain.services.calls_of_a_turn import CallsOfATurn


class Spoken:
    """Words that follow each other in a message are one event, until they are sealed.

    What was changed beside the turn is said once, and a title that came so stays.

    The first `kept` of `events` are kept; all that was `said` before is.
    """

    def __init__(self, conversation_id: ConversationId, said: Iterable[TurnEvent]) -> None:
        self._conversation_id = conversation_id
        self.events: list[TurnEvent] = []
        self.kept = 0
        self.calls = CallsOfATurn()
        self._words: list[TextDelta] = []
        self._beside: set[str] = set()
        self._named = False
        self._shown = Transcript(conversation_id)
        self._folded = 0
        for event in said:
            self.add(event)
        self.keep_all()

    @property
    def last(self) -> TurnEvent | None:
        """What was said last, without words that are not sealed."""
        return self.events[-1] if self.events else None

    @property
    def tail(self) -> tuple[Numbered, ...]:
        """The events that are not kept yet."""
        return tuple(enumerate(self.events[self.kept :], self.kept + 1))

    @property
    def is_awaited(self) -> bool:
        """Whether somebody waits for what was said last.

        A person does for the first words of a message, a tool for its call to be kept, or, where a
        person has approved that, for the turn to go on.
        """
        if self._words:
            return len(self._words) == 1 and isinstance(self.last, TextStarted)
        return isinstance(self.last, ToolCallStarted | TurnResumed)

    @property
    def shown(self) -> Transcript:
        """All that is kept, as messages."""
        self._shown.take(self.events[self._folded : self.kept])
        self._folded = self.kept
        return self._shown

    def folded(self) -> Transcript:
        """All of it, as messages."""
        return Transcript(self._conversation_id, self.events)

    def say(self, event: TurnEvent) -> None:
        """Add an event, or a word to those that are said."""
        if isinstance(event, Titled) and self._named:
            return None
        if isinstance(event, Revised) and event.id in self._beside:
            return None
        if not isinstance(event, TextDelta):
            return self.add(event)
        if self._words and not _go_together(self._words[0], event):
            self.seal()
        return self._words.append(event)

    def add(self, event: TurnEvent) -> None:
        """Add an event behind all words so far."""
        self.seal()
        if isinstance(event, Revised) and event.id:
            self._beside.add(event.id)
            self._named = self._named or event.title is not None
        self.events.append(event)
        self.calls.take(len(self.events), event)

    def seal(self) -> None:
        """The words so far are an event, and what follows is another one."""
        if words := self._words:
            self._words = []
            self.events.append(replace(words[0], text="".join(said.text for said in words)))

    def keep_all(self) -> None:
        """All of it is kept."""
        self.kept = len(self.events)

    def forget_tail(self) -> None:
        """What is not kept was never said."""
        self._words = []
        del self.events[self.kept :]


def _go_together(one: TextDelta, another: TextDelta) -> bool:
    return (one.message_id, one.part) == (another.message_id, another.part)
