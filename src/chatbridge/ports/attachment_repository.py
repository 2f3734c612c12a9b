"""The files that people bring, as rows: whose, what, and in which conversation."""

from collections.abc import Sequence
from typing import Protocol

from chatbridge.domain.model.attachment import Allowance, Attachment
from chatbridge.domain.model.identifiers import AttachmentId, UserId
from chatbridge.domain.model.payload import Payload


class AttachmentRepository(Protocol):
    """A row stands for its bytes before they come and until they are gone. Sent it is by the turn
    that its message begins (`TurnRepository.begin`). Every call raises Unavailable when the store
    is away.
    """

    async def add(self, attachment: Attachment, allowance: Allowance) -> None:
        """Keep a new one. Raises Conflict where it is more than its owner may bring in a day."""
        ...

    async def of(self, user_id: UserId, ids: Sequence[AttachmentId]) -> tuple[Attachment, ...]:
        """The owner's, in this order. Raises NotFound for what is nobody's or is removed, and
        Forbidden for what is somebody else's."""
        ...

    async def find(self, id: AttachmentId) -> Attachment:
        """Whoever's: for who has been given an address of it. Raises NotFound."""
        ...

    async def attempt(self, user_id: UserId, id: AttachmentId) -> int | None:
        """The number under which its bytes are to be brought now; None where it is not awaited any
        more."""
        ...

    async def keep(self, user_id: UserId, id: AttachmentId, *, number: int, size: int) -> bool:
        """The bytes of this attempt are there, so many, and they are the ones that count. False
        where it is not awaited any more."""
        ...

    async def record(self, user_id: UserId, id: AttachmentId, record: Payload) -> bool:
        """A host's own store keeps its bytes, and says this of it. False where it is not the
        owner's, is removed, or has bytes of ours."""
        ...

    async def remove(self, user_id: UserId, id: AttachmentId) -> None:
        """Nobody reaches it from now on, and it has no name. Raises Conflict where it was sent."""
        ...

    async def left(self) -> tuple[Attachment, ...]:
        """Those that nobody wants any more, at most 100: an hour old and removed, or of a
        conversation that is deleted; or a day old and never sent."""
        ...

    async def forget(self, user_id: UserId, id: AttachmentId) -> None:
        """Its bytes are gone, and so is it."""
        ...
