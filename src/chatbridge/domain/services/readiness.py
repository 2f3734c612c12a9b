"""Whether this replica can serve, as whoever watches over it is told, and when that changes."""

import logging

from chatbridge.domain.model.errors import Unavailable
from chatbridge.ports.store import Store

_log = logging.getLogger(__name__)


class Readiness:
    """Asks the store each time. The log has a line where the answer is another than before."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._why_not: str | None = None

    async def require(self) -> None:
        """Raises Unavailable, with what is to be done, while the store can't be used."""
        before = self._why_not
        try:
            await self._store.require_ready()
        except Unavailable as error:
            self._why_not = error.detail
            if error.detail != before:
                _log.warning("not ready: %s", error.detail)
            raise
        self._why_not = None
        if before is not None:
            _log.warning("ready: the store can be used again")
