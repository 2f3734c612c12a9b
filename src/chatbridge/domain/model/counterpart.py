"""What a model's provider keeps of a conversation, for the model to read it there."""

from dataclasses import dataclass
from typing import NewType

from chatbridge.domain.model.identifiers import ConversationId, UserId

CounterpartId = NewType("CounterpartId", str)
"""The provider's own name for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterpart:
    """`through`: it holds all messages up to this position as they are kept, and none behind it;
    None while that is not known. `conversation_id` is None once it belongs to none and is to be
    deleted at the provider.
    """

    id: CounterpartId
    user_id: UserId
    conversation_id: ConversationId | None
    through: int | None = None
