"""The store on a Postgres server."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from sqlalchemy.exc import SQLAlchemyError

from chatbridge.adapters.postgres.attachment_repository import PostgresAttachmentRepository
from chatbridge.adapters.postgres.conversation_repository import PostgresConversationRepository
from chatbridge.adapters.postgres.counterpart_repository import PostgresCounterpartRepository
from chatbridge.adapters.postgres.engine import postgres_engine
from chatbridge.adapters.postgres.migrate import grants_for, require_current, upgrade
from chatbridge.adapters.postgres.role import report_role
from chatbridge.adapters.postgres.task_repository import PostgresTaskRepository
from chatbridge.adapters.postgres.turn_journal import PostgresTurnJournal
from chatbridge.adapters.postgres.turn_repository import PostgresTurnRepository
from chatbridge.domain.model import refusals
from chatbridge.domain.model.errors import Unavailable
from chatbridge.ports.store import Store, StoreSettings

_READY_SECONDS = 2.0


class PostgresStore(Store):
    """A schema of its own in somebody's database; several replicas may use it."""

    def __init__(self, settings: StoreSettings) -> None:
        self._url, self._schema = settings.url, settings.schema
        self.kept = "kept in Postgres"
        self.engine = postgres_engine(self._url, settings.pool_size)
        there = (self.engine, self._schema)
        self.conversations = PostgresConversationRepository(*there)
        self.turns = PostgresTurnRepository(*there, lease=settings.lease)
        self.journal = PostgresTurnJournal(*there, lease=settings.lease)
        self.tasks = PostgresTaskRepository(*there)
        self.counterparts = PostgresCounterpartRepository(*there)
        self.attachments = PostgresAttachmentRepository(*there)

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[None]:
        """See the port. Says in the log which rights the role has that it need not have."""
        try:
            with suppress(Unavailable, SQLAlchemyError):
                await report_role(self.engine)
            yield
        finally:
            await self.engine.dispose()

    async def require_ready(self) -> None:
        """See the port: it must have this version's schema, and the role what it needs there."""
        try:
            async with asyncio.timeout(_READY_SECONDS):
                await require_current(self.engine, self._schema)
        except TimeoutError as error:
            raise refusals.database_slow() from error
        except Unavailable as error:
            # what is set for a role or a database holds for new sessions
            if error.code == refusals.database_refused.code:
                await self.engine.dispose()
            raise

    def migrate(self) -> str:
        """See the port."""
        return f"The schema {self._schema}: {upgrade(self._url, self._schema)}."

    def grants(self, role: str) -> str:
        """See the port."""
        return grants_for(self._url, self._schema, role)
