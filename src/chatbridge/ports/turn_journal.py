"""Makes what running turns say durable while they say it, all turns of a replica together."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from chatbridge.domain.model.turn import Recording


class TurnJournal(Protocol):
    """Tells each open recording how far it is durable, that its turn is lost, or asked to stop.

    It also keeps the leases of all open turns. It holds no recording back because of another.
    """

    def running(self) -> AbstractAsyncContextManager[None]:
        """Flush for as long as the context lasts."""
        ...

    def open(self, recording: Recording) -> None:
        """Begin to write this recording's events and to keep its lease."""
        ...

    def wake(self) -> None:
        """There is something new to write."""
        ...

    def close(self, recording: Recording) -> None:
        """Leave it alone; finish carries what is not yet durable."""
        ...
