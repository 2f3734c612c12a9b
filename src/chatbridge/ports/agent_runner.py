"""The one who answers: reads a window, calls tools, and says what happens."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from chatbridge.domain.model.approval import StandingApproval
from chatbridge.domain.model.asked import Asked
from chatbridge.domain.model.attachment import KeptFiles, Made
from chatbridge.domain.model.identifiers import CallId
from chatbridge.domain.model.message import Message
from chatbridge.domain.model.question import Answers
from chatbridge.domain.model.tool import Brought, OnBehalf
from chatbridge.domain.model.transcript import Transcript
from chatbridge.domain.model.turn import Asking, Ending, Turn
from chatbridge.domain.model.turn_event import ToolCallAsked, TurnEvent


async def keeps_none(made: Sequence[Made]) -> KeptFiles:
    """What was made is only named."""
    named = (f"[{each.name} ({each.media_type}) is not kept.]" for each in made)
    return KeptFiles(words=tuple(named))


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentRequest:
    """A turn, the messages to read for it, and how it was asked for.

    The last of the messages is to be answered, unless the turn has no subject. `say` is given each
    event as it happens. `before_call` is awaited with a call's id after its ToolCallStarted was
    said and before the tool runs; it returns when the call is durable and raises TurnLost when the
    turn is lost. `after_call` is awaited with what a call has brought that has succeeded, after its
    ToolCallFinished was said and before the model reads it; it raises nothing. `ask` says that a
    call asks while it goes on, and waits for the answer; None: the person declines. It raises
    TimeoutError where nobody will answer any more. `stopped`: its owner wants no more of it.
    `context` is what a host's own tools find in the run, where that is more than `asked`. `before`
    is what the turn has said before it rested: its calls that are running were approved, and are to
    be run first. `about` is the entry that was acted on, where there is no subject. `standing` is
    what a person has approved for the whole conversation. `keep` keeps what a call has made besides
    its text, and says of each what became of it; it raises nothing. `rests`: a host's tool has
    asked something of a person, so what it has brought is no answer.
    """

    turn: Turn
    window: tuple[Message, ...]
    say: Callable[[TurnEvent], None]
    before_call: Callable[[CallId], Awaitable[None]]
    after_call: Callable[[Brought], Awaitable[None]] | None = None
    ask: Callable[[ToolCallAsked], Awaitable[Answers | None]] | None = None
    keep: Callable[[Sequence[Made]], Awaitable[KeptFiles]] = keeps_none
    stopped: Callable[[], bool] = lambda: False
    asking: Asking = field(default_factory=Asking)
    context: Any = None
    before: Transcript | None = None
    rests: Callable[[], bool] = lambda: False
    about: Message | None = None
    standing: tuple[StandingApproval, ...] = ()

    @property
    def on_behalf(self) -> OnBehalf:
        """Whom it is for, and where."""
        conversation = self.turn.conversation
        return OnBehalf(
            user_id=conversation.user_id, conversation_id=conversation.id, turn_id=self.turn.id
        )

    @property
    def asked(self) -> Asked:
        """The same, with what a host's own code is given besides."""
        conversation, asking = self.turn.conversation, self.asking
        return Asked(
            user_id=conversation.user_id,
            conversation_id=conversation.id,
            turn_id=self.turn.id,
            claims=asking.claims,
            headers=asking.headers,
            metadata=asking.metadata,
        )


class AgentRunner(Protocol):
    """Runs the agent for one turn.

    `by_host`: it is a server of the host's own, which gives titles too.
    """

    by_host: bool = False

    @property
    def model(self) -> str:
        """The name of the model that a turn begins with; an agent may hand over to another."""
        ...

    def model_for(self, message: Message | None) -> str:
        """The same, for the answer to this message, which may have chosen another."""
        return self.model

    async def run(self, request: AgentRequest) -> None:
        """Say text and tool events as they happen, with ids of our own and storable text.

        Every started text is finished and every started call too, unless the run ends early, or
        asks something of a person (ToolCallAsked): it ends at the ask, and another one goes on.
        Cancelling it stops the model and the tools, and nothing more is said. Raises AgentFailed.
        """
        ...

    def kept(self, turn: Turn, ending: Ending) -> None:
        """A turn that it ran is kept as completed. Nobody waits for what follows from that."""
