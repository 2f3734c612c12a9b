"""The one who answers: reads a window, calls tools, and says what happens."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from chatbridge.domain.model.identifiers import CallId
from chatbridge.domain.model.message import Message
from chatbridge.domain.model.tool import OnBehalf
from chatbridge.domain.model.turn_event import TurnEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentRequest:
    """The messages to read, the last of them to be answered, and for whom.

    `say` is given each event as it happens. `before_call` is awaited with a call's id after its
    ToolCallStarted was said and before the tool runs; it returns when the call is durable and
    raises TurnLost when the turn is lost.
    `zone` is the person's time zone, as far as the page gives it.
    """

    window: tuple[Message, ...]
    on_behalf: OnBehalf
    say: Callable[[TurnEvent], None]
    before_call: Callable[[CallId], Awaitable[None]]
    zone: str | None = None


class AgentRunner(Protocol):
    """Runs the agent for one turn."""

    @property
    def model(self) -> str:
        """The name of the model that a turn begins with; an agent may hand over to another."""
        ...

    async def run(self, request: AgentRequest) -> None:
        """Say text and tool events as they happen, with ids of our own and storable text.

        Every started text is finished and every started call too, unless the run ends early.
        Cancelling it stops the model and the tools, and nothing more is said. Raises AgentFailed.
        """
        ...
