"""What a turn in memory begins with, and what it leaves in its conversation."""

from collections.abc import Iterable
from dataclasses import replace

from chatbridge.adapters.memory.memory import (
    KeptConversation,
    KeptTurn,
    Memory,
    conversation_copy,
    message_copy,
)
from chatbridge.domain.model import refusals
from chatbridge.domain.model.identifiers import MessageId, UserId
from chatbridge.domain.model.message import Message, fitting
from chatbridge.domain.model.turn import Ending, Turn
from chatbridge.ports.turn_repository import (
    Begun,
    TurnRequest,
)

_WITHOUT_TEXT = 100


def refuse_a_second(kept: KeptConversation) -> None:
    if kept.conversation.status != "active":
        raise refusals.closed()
    if kept.waiting is not None:
        raise refusals.turn_waiting()
    if kept.running is None:
        return
    if kept.running.lease_passed:
        raise refusals.stale_turn()
    raise refusals.turn_running()


def subject_of(kept: KeptConversation, request: TurnRequest, memory: Memory) -> Message | None:
    if request.retry_of is not None:
        return _retried(kept, request.retry_of)
    if request.message is None:
        return None
    if request.message.id in kept.messages:
        raise refusals.message_exists()
    _attach(memory, request)
    return kept.put(request.message)


def _attach(memory: Memory, request: TurnRequest) -> None:
    """What the message carries belongs to its conversation from now on, all of it or nothing."""
    carried = request.message.attachments if request.message else ()
    known = [memory.attachments.get(attached.id) for attached in carried]
    for attachment in known:
        if attachment is None or attachment.user_id != request.user_id:
            raise refusals.no_blob()
        if attachment.sent or attachment.made or attachment.state != "kept":
            raise refusals.attachment_sent()
    for attachment in filter(None, known):
        sent = replace(attachment, sent=True, conversation_id=request.conversation_id)
        memory.attachments[attachment.id] = sent


def mark_shown(memory: Memory, user_id: UserId, messages: Iterable[Message]) -> None:
    """What was made belongs to what shows it."""
    for attached in (each for message in messages for each in message.carried):
        known = memory.attachments.get(attached.id)
        if known and known.made and known.user_id == user_id:
            memory.attachments[known.id] = replace(known, sent=True)


def _retried(kept: KeptConversation, id: MessageId) -> Message:
    message = kept.message(id)
    if message.role != "user" or message.kind != "text":
        raise refusals.not_retryable()
    return message


def begun(
    kept: KeptConversation,
    turn: KeptTurn,
    newest: int,
    room: int,
    about: MessageId | None = None,
) -> Begun:
    held = asked_again(kept, turn)
    acted_on = kept.messages.get(about) if about else None
    last = held.subject.position if held.subject else kept.last_position
    readable = [m for m in kept.messages.values() if m.position <= last]
    counted = [m.position for m in readable if m.counted]
    first = next(iter(counted[-newest:]), last - _WITHOUT_TEXT)
    read = fitting([m for m in reversed(readable) if m.position >= first], room)
    return Begun(
        turn=held,
        newest=tuple(message_copy(m) for m in reversed(read)),
        counted=len(counted),
        about=message_copy(acted_on) if acted_on else None,
        standing=tuple(kept.standing.values()),
    )


def asked_again(kept: KeptConversation, turn: KeptTurn) -> Turn:
    """The turn with its subject. Raises Conflict where that is gone."""
    held = turn_of(kept, turn)
    if turn.subject is None:
        return held
    if turn.subject not in kept.messages:
        raise refusals.turn_ended()
    return replace(held, subject=message_copy(kept.messages[turn.subject]))


def turn_of(kept: KeptConversation, turn: KeptTurn) -> Turn:
    conversation = conversation_copy(kept.conversation)
    return Turn(
        id=turn.id,
        conversation=conversation,
        epoch=turn.epoch,
        retry=turn.retry,
        by_host=turn.by_host,
    )


def keep_answer(kept: KeptConversation, turn: KeptTurn, ending: Ending) -> None:
    if turn.retry and turn.subject:
        kept.drop_after(kept.messages[turn.subject].position)
    for message in ending.messages:
        kept.put(message)
