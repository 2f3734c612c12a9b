"""What the memory adapters share: all that one process keeps, and that ends with it."""

import json
from asyncio import sleep
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any
from uuid import uuid4

from chatbridge.domain.model import refusals
from chatbridge.domain.model.approval import ApprovalId, StandingApproval
from chatbridge.domain.model.attachment import Attachment
from chatbridge.domain.model.conversation import Conversation
from chatbridge.domain.model.counterpart import Counterpart, CounterpartId
from chatbridge.domain.model.identifiers import (
    AttachmentId,
    ConversationId,
    MessageId,
    TurnId,
    UserId,
)
from chatbridge.domain.model.message import FeedbackKind, Message
from chatbridge.domain.model.turn import Changes, Once, Turn, TurnState
from chatbridge.domain.model.turn_event import Revised, ToolCallAnswered, TurnEvent
from chatbridge.domain.model.usage import Usage


@dataclass(slots=True, kw_only=True)
class KeptTurn:
    """A turn as it is kept; `subject` and `retry` outlive the replica that began it."""

    id: TurnId
    subject: MessageId | None
    retry: bool
    lease_until: float
    once: Once | None = None
    epoch: int = 1
    state: TurnState = "running"
    events: dict[int, TurnEvent] = field(default_factory=dict[int, TurnEvent])
    posted: dict[int, ToolCallAnswered] = field(default_factory=dict[int, ToolCallAnswered])
    revised: Revised | None = None
    cancel_asked: bool = False
    ended_at: datetime | None = None
    usage: Usage | None = None
    model: str | None = None
    by_host: bool = False
    code: str | None = None

    @property
    def lease_passed(self) -> bool:
        return self.lease_until <= monotonic()

    @property
    def is_stale(self) -> bool:
        return self.state in ("running", "waiting") and self.lease_passed

    def renew(self, lease: float) -> None:
        self.lease_until = monotonic() + lease

    def is_held_by(self, turn: Turn) -> bool:
        """Whether the holder of `turn` may still write."""
        return self.state == "running" and self.epoch == turn.epoch

    @property
    def unsaid(self) -> Revised | None:
        """What was changed beside it, if it has not said so."""
        return None if self.revised in self.events.values() else self.revised

    def keep(self, tail: Iterable[tuple[int, TurnEvent]]) -> None:
        """Add numbered events; a number that is already kept stays what it is."""
        for number, event in tail:
            self.events.setdefault(number, event)


@dataclass(slots=True, kw_only=True)
class KeptConversation:
    """A conversation with all that belongs to it; `messages` are in order of position."""

    conversation: Conversation
    last_position: int = 0
    messages: dict[MessageId, Message] = field(default_factory=dict[MessageId, Message])
    turns: dict[TurnId, KeptTurn] = field(default_factory=dict[TurnId, KeptTurn])
    feedback: dict[MessageId, FeedbackKind] = field(default_factory=dict[MessageId, FeedbackKind])
    standing: dict[ApprovalId, StandingApproval] = field(
        default_factory=dict[ApprovalId, StandingApproval]
    )

    @property
    def running(self) -> KeptTurn | None:
        return next((t for t in self.turns.values() if t.state == "running"), None)

    @property
    def waiting(self) -> KeptTurn | None:
        return next((t for t in self.turns.values() if t.state == "waiting"), None)

    @property
    def stale(self) -> KeptTurn | None:
        """The one that runs or waits, if its time is over."""
        turn = self.running or self.waiting
        return turn if turn and turn.is_stale else None

    @property
    def asks_now(self) -> bool:
        """Whether one waits that can still be answered."""
        return self.waiting is not None and not self.waiting.lease_passed

    def message(self, id: MessageId) -> Message:
        """A message of this conversation. Raises NotFound."""
        try:
            return self.messages[id]
        except KeyError:
            raise refusals.no_message() from None

    def put(self, message: Message) -> Message:
        """Keep a message in its place, or at the end where its id is new."""
        known = self.messages.get(message.id)
        if known is None:
            self.last_position += 1
        position = self.last_position if known is None else known.position
        kept = replace(message_copy(message), position=position)
        self.messages[message.id] = kept
        return kept

    def rate(self, id: MessageId, kind: FeedbackKind | None) -> None:
        """Keep a verdict as the latest one, or take it back."""
        self.feedback.pop(id, None)
        if kind:
            self.feedback[id] = kind

    def rated(self, message: Message) -> Message:
        """A copy of it with the verdict on it."""
        return replace(message_copy(message), feedback=self.feedback.get(message.id))

    def approve(self, approval: StandingApproval) -> None:
        """Let it stand, in place of an earlier one of the same tool."""
        named = (approval.source, approval.tool)
        self.standing = {k: a for k, a in self.standing.items() if (a.source, a.tool) != named}
        self.standing[approval.id] = approval

    def change(self, changes: Changes) -> None:
        """Let what is there be another one; what is not there stays so."""
        for message in changes.replaced:
            if known := self.messages.get(message.id):
                # what a person has attached stays, whatever else becomes of it
                carried = known.attachments if known.role == "user" else message.attachments
                self.put(replace(message, created_at=known.created_at, attachments=carried))
        for id in changes.removed:
            self.messages.pop(id, None)
            self.feedback.pop(id, None)
        self.revise(changes.revised)

    def tell(self, revised: Revised) -> None:
        """Have the turn that runs or waits say what was revised beside it."""
        turn = self.running or self.waiting
        if turn and revised != Revised():
            both = (turn.unsaid or Revised()).then(revised)
            turn.revised = replace(both, id=uuid4().hex)

    def places(self, changes: Changes, added: Sequence[Message] = ()) -> list[int]:
        """Where the entries stand that are there and become other ones."""
        ids = (*(m.id for m in (*added, *changes.replaced)), *changes.removed)
        return [self.messages[id].position for id in ids if id in self.messages]

    def revise(self, revised: Revised) -> None:
        """Let the conversation itself be another one; what is None stays."""
        self.conversation = conversation_copy(revised.of(self.conversation))

    def drop_after(self, position: int) -> None:
        """Delete the messages behind this position, with the verdicts on them."""
        for message in list(self.messages.values()):
            if message.position > position:
                del self.messages[message.id]
                self.feedback.pop(message.id, None)

    def touch(self, now: datetime) -> None:
        self.conversation = replace(self.conversation, updated_at=now)


class Memory:
    """Conversations by owner and id, so that two owners may use the same ids."""

    def __init__(self) -> None:
        self.conversations: dict[tuple[UserId, ConversationId], KeptConversation] = {}
        self.counterparts: dict[tuple[UserId, CounterpartId], Counterpart] = {}
        self.attachments: dict[AttachmentId, Attachment] = {}
        self._now = datetime.min.replace(tzinfo=UTC)

    async def find(self, user_id: UserId, id: ConversationId) -> KeptConversation:
        """Yield to the loop, then answer like `get`."""
        await sleep(0)
        return self.get(user_id, id)

    def get(self, user_id: UserId, id: ConversationId) -> KeptConversation:
        """The owner's conversation. Raises NotFound and Forbidden."""
        kept = self.conversations.get((user_id, id))
        if kept is not None:
            return kept
        if any(known == id for _, known in self.conversations):
            raise refusals.not_yours()
        raise refusals.no_conversation()

    def turn(self, user_id: UserId, id: TurnId) -> tuple[KeptConversation, KeptTurn] | None:
        """The owner's turn and where it is, wherever that is."""
        mine = (k for (owner, _), k in self.conversations.items() if owner == user_id)
        return next(((kept, kept.turns[id]) for kept in mine if id in kept.turns), None)

    def turn_of_key(self, user_id: UserId, key: str) -> tuple[KeptConversation, KeptTurn] | None:
        """The owner's turn that was begun under this key."""
        mine = (k for (owner, _), k in self.conversations.items() if owner == user_id)
        turns = ((kept, turn) for kept in mine for turn in kept.turns.values())
        return next(((k, t) for k, t in turns if t.once and t.once.key == key), None)

    def keep(self, kept: KeptConversation) -> None:
        """Keep a conversation; one that exists under its owner and id stays as it is."""
        key = (kept.conversation.user_id, kept.conversation.id)
        self.conversations.setdefault(key, kept)

    def part(self, kept: KeptConversation, since: int = 0) -> None:
        """Let the conversation part with counterparts that may hold what stands at `since` or
        behind it.
        """
        conversation = kept.conversation
        for key, its in self.counterparts.items():
            through = kept.last_position if its.through is None else its.through
            same = its.conversation_id == conversation.id and its.user_id == conversation.user_id
            if same and through >= since:
                self.counterparts[key] = replace(its, conversation_id=None)

    def now(self) -> datetime:
        """The time, later than every time given before."""
        # a coarse clock must not make two activities equally late
        self._now = max(datetime.now(UTC), self._now + timedelta(microseconds=1))
        return self._now


def conversation_copy(conversation: Conversation) -> Conversation:
    """The same conversation in UTC, which shares nothing that can be changed."""
    return replace(
        conversation,
        created_at=conversation.created_at.astimezone(UTC),
        updated_at=conversation.updated_at.astimezone(UTC),
        metadata=json_copy(conversation.metadata),
        pictures=None if conversation.pictures is None else [*conversation.pictures],
    )


def message_copy(message: Message) -> Message:
    """The same message in UTC, which shares nothing that can be changed."""
    payload = None if message.payload is None else json_copy(message.payload)
    return replace(message, created_at=message.created_at.astimezone(UTC), payload=payload)


def json_copy(value: Mapping[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps(dict(value)))
