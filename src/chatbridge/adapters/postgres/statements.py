"""How statements are sent: typed ones through a session a call, functions as they are written."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar, TypeVarTuple, overload

from sqlalchemy import Executable, TextClause, UpdateBase, text
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import Select, SelectOfScalar

from chatbridge.adapters.postgres.failures import again
from chatbridge.adapters.postgres.table_parts import SCHEMA

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

Rows = list[dict[str, Any]]


class Attempt(Protocol):
    """How often a call is tried, and what it raises in the end: `again` or `once`."""

    async def __call__(self, work: Callable[[], Awaitable[T]]) -> T: ...


class Statements:
    """Sends statements in chatbridge's schema. Raises Unavailable.

    The engine must be in AUTOCOMMIT: a statement is then one round trip and a transaction of its
    own, in a session too, which begins and commits nothing. Tried `again`, every statement must be
    harmless to repeat.

    A list is passed as JSON: asyncpg looks an array's type up, and to do so sets `jit` for the
    session, which behind a pooler is left to somebody else.
    """

    def __init__(self, engine: AsyncEngine, schema: str = SCHEMA, attempt: Attempt = again) -> None:
        # where there is nothing to translate, no statement's text is searched for it
        names = {} if schema == SCHEMA else {SCHEMA: schema}
        self._engine = engine.execution_options(schema_translate_map=names)
        self._schema = schema
        self._attempt = attempt
        self._prepared: dict[str, TextClause] = {}

    @overload
    async def found(self, statement: SelectOfScalar[T], **parameters: Any) -> list[T]: ...

    @overload
    async def found(self, statement: Select[*Ts], **parameters: Any) -> list[tuple[*Ts]]: ...

    async def found(self, statement: Any, **parameters: Any) -> Any:
        """What is selected. Built once, a statement costs a third of the time of a new one."""

        async def work(session: AsyncSession) -> list[Any]:
            execute: Any = session.exec
            return list(await execute(statement, params=parameters))

        return await self._in_a_session(work)

    async def columns(self, statement: Select[*tuple[Any, ...]], **parameters: Any) -> Rows:
        """What is selected, each row by its columns' names. Without a session, which costs more
        than such a row.
        """
        return await self._rows(statement, parameters)

    async def changed(self, statement: UpdateBase) -> list[Any]:
        """What an insert, update or delete returns: of each row the first that it names."""

        async def work(session: AsyncSession) -> list[Any]:
            result = await session.exec(statement, execution_options={"synchronize_session": False})
            return list(result.scalars())

        return await self._in_a_session(work)

    async def _in_a_session(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        async def call() -> T:
            async with AsyncSession(
                self._engine, expire_on_commit=False, autoflush=False
            ) as session:
                return await work(session)

        return await self._attempt(call)

    async def rows(self, template: str, **parameters: Any) -> Rows:
        """All rows that hand-written SQL answers, each by its columns' names.

        `{s}` in it stands for the schema.
        """
        statement = self._prepared.get(template)
        if statement is None:
            statement = text(in_schema(template, self._schema))
            self._prepared[template] = statement
        return await self._rows(statement, parameters)

    async def _rows(self, statement: Executable, parameters: dict[str, Any]) -> Rows:
        async def work() -> Rows:
            async with self._engine.connect() as connection:
                result = await connection.execute(statement, parameters)
                rows = result.mappings() if result.returns_rows else ()
                return [{str(name): value for name, value in row.items()} for row in rows]

        return await self._attempt(work)


def in_schema(template: str, schema: str) -> str:
    """The template with its schema written out."""
    return template.replace("{s}", f'"{schema}"')
