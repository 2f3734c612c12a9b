"""Everything that can be refused, in the domain's words.

    ChatbridgeError
    ├── Unauthenticated       nobody we know
    ├── Forbidden             somebody else's
    ├── NotFound              nobody's
    ├── Conflict              not now: a turn is running, the conversation is closed
    │   ├── Busy              a turn is running; wait for it, or stop it
    │   ├── TurnWaits         a turn waits for a person; withdraw what it asks, and ask again
    │   └── StaleTurn         a turn whose replica has gone; close it and ask again
    ├── Invalid               never: the input itself is wrong
    ├── Unavailable           not now: the database is away
    ├── Unkeepable            never: the store can't hold what was said
    ├── TurnLost              this replica no longer owns the turn
    └── AgentFailed           the model can't answer, or can't go on

`code` is stable and part of the API; `detail` is a sentence for the person who called.
"""

from typing import ClassVar

from chatbridge.domain.model.payload import Payload


class ChatbridgeError(Exception):
    """The base of all: a stable code and a sentence that says what to do."""

    default: ClassVar[str] = "error"

    def __init__(self, detail: str, *, code: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or self.default


class Unauthenticated(ChatbridgeError):
    """The caller has shown no token, or one that is not good here."""

    default = "unauthenticated"


class Forbidden(ChatbridgeError):
    """It exists and belongs to somebody else."""

    default = "forbidden"


class NotFound(ChatbridgeError):
    """It does not exist."""

    default = "not_found"


class Conflict(ChatbridgeError):
    """The conversation's present state does not allow it."""

    default = "conflict"


class Busy(Conflict):
    """Another turn is running in the conversation."""

    default = "turn_running"


class TurnWaits(Conflict):
    """A turn waits for a person in the conversation."""

    default = "turn_waiting"


class StaleTurn(Conflict):
    """A turn still counts as running, but its lease has passed."""

    default = "stale_turn"


class Invalid(ChatbridgeError):
    """The input can't be accepted, now or later."""

    default = "invalid"


class Unavailable(ChatbridgeError):
    """What we depend on is away for a moment; the same request may succeed later."""

    default = "unavailable"


class Unkeepable(ChatbridgeError):
    """The store can't hold this, now or later; the same again would fail again."""

    default = "not_kept"


class TurnLost(ChatbridgeError):
    """The turn was taken over, ended or deleted while this replica was running it."""

    default = "turn_lost"


class AgentFailed(ChatbridgeError):
    """The model can't answer or go on; `detail` is a sentence for the person in the chat.

    `payload` is how a surface says it itself, where it has words of its own.
    """

    default = "agent_failed"

    def __init__(
        self, detail: str, *, code: str | None = None, payload: Payload | None = None
    ) -> None:
        super().__init__(detail, code=code)
        self.payload = payload
