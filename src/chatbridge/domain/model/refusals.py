"""What every store says when it refuses: one sentence and one code each."""

from chatbridge.domain.model.errors import (
    Busy,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    StaleTurn,
    TurnLost,
)


def no_conversation() -> NotFound:
    """Nobody has such a conversation."""
    return NotFound("There is no such conversation.", code="conversation_not_found")


def not_yours() -> Forbidden:
    """Somebody else has it."""
    return Forbidden("This conversation belongs to somebody else.")


def no_message() -> NotFound:
    """The conversation is there, the message is not."""
    return NotFound("The conversation has no such message.", code="message_not_found")


def message_exists() -> Conflict:
    """A new message has the id of another one."""
    return Conflict("A message with this id is already kept.", code="message_exists")


def no_task(number: int) -> NotFound:
    """The owner has no task of this number."""
    return NotFound(f"There is no task {number}.", code="task_not_found")


def task_key_reused() -> Invalid:
    """Another call of the owner's was made under this key."""
    return Invalid(
        "Another call was made under this key, so nothing was done.",
        code="idempotency_key_reused",
    )


def closed() -> Conflict:
    """The conversation is locked or closed."""
    return Conflict(
        "The conversation takes no new messages: it is locked or closed.",
        code="conversation_closed",
    )


def turn_running() -> Busy:
    """Another turn is running in the conversation."""
    return Busy("An answer is under way in this conversation: wait for its end, or stop it.")


def stale_turn() -> StaleTurn:
    """A turn is running that nobody runs any more."""
    return StaleTurn("The conversation's turn has lost its server.")


def turn_ended() -> Conflict:
    """The turn that is asked for has been, and its events are gone."""
    return Conflict(
        "This turn ended a while ago; what it said is among the conversation's messages.",
        code="turn_ended",
    )


def key_reused() -> Invalid:
    """Something else was asked under the same key."""
    return Invalid(
        "This Idempotency-Key was used for another request; choose a new one.",
        code="idempotency_key_reused",
    )


def no_turn() -> NotFound:
    """Nobody has such a turn."""
    return NotFound("There is no such turn.", code="turn_not_found")


def turn_not_yours() -> Forbidden:
    """Somebody else has it."""
    return Forbidden("This turn belongs to somebody else.")


def turn_gone() -> NotFound:
    """The turn was deleted with its conversation."""
    return NotFound("The turn is gone with its conversation.", code="turn_not_found")


def turn_taken_over() -> TurnLost:
    """Another server has the turn now."""
    return TurnLost("The turn was taken over by another server.")


def not_retryable() -> Invalid:
    """The message to be answered again is no user's."""
    return Invalid("Only a message of the user can be retried.", code="not_retryable")
