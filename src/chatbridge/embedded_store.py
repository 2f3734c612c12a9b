"""The store of those who have no server: on a Postgres of our own, which is two adapters."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace

from chatbridge.adapters.embedded.server import EmbeddedPostgres
from chatbridge.adapters.postgres.store import PostgresStore
from chatbridge.ports.store import StoreSettings


class EmbeddedStore(PostgresStore):
    """A Postgres server of our own, that nobody else uses."""

    def __init__(self, settings: StoreSettings) -> None:
        directory = settings.directory / "postgres"
        self._server = EmbeddedPostgres(directory)
        super().__init__(replace(settings, url=self._server.url))
        self.kept = f"kept in {directory}"

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[None]:
        """See the port: started, migrated, and free of turns that have lost their server."""
        try:
            await asyncio.to_thread(self._server.start)
            await asyncio.to_thread(super().migrate)
            await self.turns.abandon_running()
            yield
        finally:
            await self.engine.dispose()
            await asyncio.to_thread(self._server.stop)

    def migrate(self) -> str:
        """See the port."""
        raise ValueError("Set DATABASE_URL: the embedded database is migrated when it is served.")

    def grants(self, role: str) -> str:
        """See the port."""
        raise ValueError("Set DATABASE_URL: nobody else has a role in the embedded database.")
