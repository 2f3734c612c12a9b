"""Which calls of a turn wait for a person, and from which of its events on each may run."""

from chatbridge.domain.model.identifiers import CallId
from chatbridge.domain.model.turn_event import (
    ToolCallAnswered,
    ToolCallAsked,
    ToolCallStarted,
    TurnEvent,
    TurnResumed,
)


class CallsOfATurn:
    """Told of each event with its number. A call may run once its start is kept; one that was asked
    about, once it is kept that the turn has gone on with it."""

    def __init__(self) -> None:
        self._starts: dict[CallId, int] = {}
        self._asked: set[CallId] = set()
        self._approved: set[CallId] = set()

    @property
    def waiting(self) -> bool:
        """Whether one of them is not answered."""
        return bool(self._asked)

    def start_of(self, id: CallId) -> int | None:
        """The number of the event that has to be kept before it runs, if there is one yet."""
        return self._starts.get(id)

    def take(self, number: int, event: TurnEvent) -> None:
        """One more event."""
        match event:
            case ToolCallStarted(call=call):
                self._starts[call.id] = number
            case ToolCallAsked(call_id=id):
                self._starts.pop(id, None)
                self._asked.add(id)
            case ToolCallAnswered(call_id=id):
                self._asked.discard(id)
                if event.lets_it_run:
                    self._approved.add(id)
            case TurnResumed():
                self._starts.update(dict.fromkeys(self._approved, number))
                self._approved.clear()
            case _:
                pass
