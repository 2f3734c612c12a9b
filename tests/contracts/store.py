"""What the store contracts have in common: the adapters under test, people, and short makers."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chatbridge.domain.model.conversation import Conversation
from chatbridge.domain.model.identifiers import CallId, ConversationId, MessageId, TurnId, UserId
from chatbridge.domain.model.message import Kind, Message, Role
from chatbridge.domain.model.tool_call import CallState, ToolCall
from chatbridge.domain.model.turn import Turn
from chatbridge.domain.model.turn_event import TextDelta, TextFinished, TextStarted, TurnEvent
from chatbridge.domain.model.usage import Usage
from chatbridge.ports.attachment_repository import AttachmentRepository
from chatbridge.ports.conversation_repository import ConversationRepository
from chatbridge.ports.counterpart_repository import CounterpartRepository
from chatbridge.ports.turn_journal import TurnJournal
from chatbridge.ports.turn_repository import TurnRepository, TurnRequest

ALICE, BOB = UserId("alice"), UserId("bob")
C1 = ConversationId("conv_1")
NOON = datetime(2020, 1, 1, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What is kept of a turn for those who look at many."""

    usage: Usage | None = None
    code: str | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """The adapters of one replica, and what no port does.

    `seed` puts a conversation there as its operator would; the rest looks at what is kept.
    """

    conversations: ConversationRepository
    turns: TurnRepository
    journal: TurnJournal
    counterparts: CounterpartRepository
    attachments: AttachmentRepository
    seed: Callable[[Conversation], Awaitable[None]]
    kept_events: Callable[[Turn], Awaitable[list[TurnEvent]]]
    kept_report: Callable[[Turn], Awaitable[Report]]
    verdicts: Callable[[UserId, ConversationId], Awaitable[dict[str, str]]]


Replica = Callable[[float], Store]


class StoreContract(ABC):
    """An adapter's test class says how to build one; all that it builds in a test share data."""

    @pytest.fixture
    @abstractmethod
    def replica(self) -> Replica:
        """Makes one more replica, whose leases last for so many seconds."""

    @pytest.fixture
    def store(self, replica: Replica) -> Store:
        return replica(5.0)


def conversation(
    id: str = C1, *, user_id: UserId = ALICE, minute: int = 0, **fields: Any
) -> Conversation:
    at = NOON + timedelta(minutes=minute)
    return Conversation(
        id=ConversationId(id), user_id=user_id, created_at=at, updated_at=at, **fields
    )


def message(
    id: str,
    content: str = "hello",
    *,
    conversation_id: ConversationId = C1,
    role: Role = "user",
    kind: Kind = "text",
    **fields: Any,
) -> Message:
    fields = {"created_at": NOON, **fields}
    return Message(
        id=MessageId(id),
        conversation_id=conversation_id,
        role=role,
        kind=kind,
        content=content,
        **fields,
    )


def tools(id: str, *calls: ToolCall) -> Message:
    return message(id, "", role="assistant", kind="tools", tool_calls=calls or (call(),))


def call(id: str = "call_1", state: CallState = "succeeded", **fields: Any) -> ToolCall:
    fields = {"name": "add_task", "arguments": '{"title": "milk"}', "started_at": NOON, **fields}
    return ToolCall(id=CallId(id), state=state, **fields)


def ask(
    turn: str = "turn_1",
    content: str = "hello",
    *,
    user_id: UserId = ALICE,
    conversation_id: ConversationId = C1,
    message_id: str | None = None,
    retry_of: str | None = None,
    new: bool = False,
    model: str | None = None,
) -> TurnRequest:
    """The request of a turn; its message is called after the turn, `turn_1_asks`."""
    asked = message(message_id or f"{turn}_asks", content, conversation_id=conversation_id)
    return TurnRequest(
        user_id=user_id,
        conversation_id=conversation_id,
        turn_id=TurnId(turn),
        message=None if retry_of else asked,
        retry_of=MessageId(retry_of) if retry_of else None,
        new=new,
        model=model,
    )


def said(id: str, *texts: str, finished: bool = True) -> tuple[TurnEvent, ...]:
    """The events of one message of the assistant's."""
    start = TextStarted(message_id=MessageId(id), at=NOON)
    deltas = (TextDelta(message_id=MessageId(id), text=text) for text in texts)
    end = (TextFinished(message_id=MessageId(id)),) if finished else ()
    return (start, *deltas, *end)
