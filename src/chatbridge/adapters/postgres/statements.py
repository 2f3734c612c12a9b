"""Hand-written statements, each sent in one round trip."""

from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncEngine

from chatbridge.adapters.postgres.failures import again
from chatbridge.adapters.postgres.tables import SCHEMA

Rows = list[dict[str, Any]]


class Statements:
    """Runs SQL templates in which `{s}` stands for chatbridge's schema.

    The engine must be in AUTOCOMMIT: a statement is then one round trip and a transaction of its
    own. Every statement sent through here must be harmless to repeat. Raises Unavailable.

    A list is passed as JSON: asyncpg looks an array's type up, and to do so sets `jit` for the
    session, which behind a pooler is left to somebody else.
    """

    def __init__(self, engine: AsyncEngine, schema: str = SCHEMA) -> None:
        self._engine = engine
        self._schema = schema
        self._prepared: dict[str, TextClause] = {}

    async def rows(self, template: str, **parameters: Any) -> Rows:
        """All rows that the statement answers, each by its columns' names."""
        statement = self._prepared.get(template)
        if statement is None:
            statement = text(in_schema(template, self._schema))
            self._prepared[template] = statement

        async def work() -> Rows:
            async with self._engine.connect() as connection:
                result = await connection.execute(statement, parameters)
                rows = result.mappings() if result.returns_rows else ()
                return [{str(name): value for name, value in row.items()} for row in rows]

        return await again(work)


def in_schema(template: str, schema: str) -> str:
    """The template with its schema written out."""
    return template.replace("{s}", f'"{schema}"')
