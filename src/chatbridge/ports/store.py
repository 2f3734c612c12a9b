"""Where everything is kept: the repositories over one place, and how it is opened and closed."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from chatbridge.ports.attachment_repository import AttachmentRepository
from chatbridge.ports.conversation_repository import ConversationRepository
from chatbridge.ports.counterpart_repository import CounterpartRepository
from chatbridge.ports.task_repository import TaskRepository
from chatbridge.ports.turn_journal import TurnJournal
from chatbridge.ports.turn_repository import TurnRepository


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """What a store may want to know.

    `url` is DATABASE_URL as given, empty if it is not set; `directory` is for what is kept on this
    machine; `lease` is in seconds.
    """

    url: str
    directory: Path
    lease: float
    schema: str
    pool_size: int


class Store(Protocol):
    """Made without a network, and used while it is open; `kept` says for people where things are,
    as in "kept in Postgres".
    """

    kept: str
    conversations: ConversationRepository
    turns: TurnRepository
    journal: TurnJournal
    tasks: TaskRepository
    counterparts: CounterpartRepository
    attachments: AttachmentRepository

    def opened(self) -> AbstractAsyncContextManager[None]:
        """For as long as the context lasts; a store that is only ours is made ready for use.

        One that is away may be opened all the same. Raises ValueError where it never will be there.
        """
        ...

    async def require_ready(self) -> None:
        """Raises Unavailable, within a few seconds, where it can't be used just now."""
        ...

    def migrate(self) -> str:
        """Bring what is kept to this version's form, and say so. Blocks.

        Raises Unavailable, and ValueError where there is nothing to be done by hand.
        """
        ...

    def grants(self, role: str) -> str:
        """What lets another role serve what this one has migrated, to be run where it is kept.

        Blocks. Raises Unavailable, and ValueError where there are no roles.
        """
        ...


OpenStore = Callable[[StoreSettings], Store]
"""What is registered under a URL's scheme. Raises ValueError for a URL that can't be used."""
