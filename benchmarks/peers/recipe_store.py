"""The store of the ChatKit SDK's own guide, on Postgres; the guide leaves some of it to the reader.

The guide makes a connection for every call and blocks meanwhile; this one takes it from a pool.
"""

from dataclasses import dataclass
from typing import Any

import asyncpg
from chatkit.store import NotFoundError, Store
from chatkit.types import Attachment, Page, ThreadItem, ThreadMetadata
from pydantic import TypeAdapter

TABLES = """
create table if not exists threads (
  id text primary key, user_id text not null, created_at timestamptz not null, data jsonb not null);
create table if not exists items (
  id text primary key, thread_id text not null references threads (id) on delete cascade,
  user_id text not null, created_at timestamptz not null, data jsonb not null)
"""

_ITEM: TypeAdapter[ThreadItem] = TypeAdapter(ThreadItem)


@dataclass
class Context:
    """Who asks."""

    user_id: str


class PostgresStore(Store[Context]):
    """`pool` is given when the server starts."""

    pool: Any = None

    async def load_thread(self, thread_id: str, context: Context) -> ThreadMetadata:
        row = await self.pool.fetchrow(
            "select data from threads where id = $1 and user_id = $2", thread_id, context.user_id
        )
        if row is None:
            raise NotFoundError(thread_id)
        return ThreadMetadata.model_validate_json(row[0])

    async def save_thread(self, thread: ThreadMetadata, context: Context) -> None:
        await self.pool.execute(
            "insert into threads (id, user_id, created_at, data) values ($1, $2, $3, $4)"
            " on conflict (id) do update set data = excluded.data",
            thread.id,
            context.user_id,
            thread.created_at.astimezone(),
            thread.model_dump_json(),
        )

    async def load_threads(
        self, limit: int, after: str | None, order: str, context: Context
    ) -> Page[ThreadMetadata]:
        at = after and await self.pool.fetchval(
            "select created_at from threads where id = $1", after
        )
        rows = await self.pool.fetch(
            "select data from threads where user_id = $1"
            " and ($2::timestamptz is null or created_at < $2) order by created_at desc limit $3",
            context.user_id,
            at,
            limit + 1,
        )
        page = [ThreadMetadata.model_validate_json(row[0]) for row in rows[:limit]]
        more = len(rows) > limit
        return Page(data=page, has_more=more, after=page[-1].id if more else None)

    async def load_thread_items(
        self, thread_id: str, after: str | None, limit: int, order: str, context: Context
    ) -> Page[ThreadItem]:
        at = after and await self.pool.fetchval("select created_at from items where id = $1", after)
        way, beyond = ("desc", "<") if order == "desc" else ("asc", ">")
        rows = await self.pool.fetch(
            "select data from items where thread_id = $1 and user_id = $2"  # noqa: S608
            f" and ($3::timestamptz is null or created_at {beyond} $3)"
            f" order by created_at {way} limit $4",
            thread_id,
            context.user_id,
            at,
            limit + 1,
        )
        page = [_ITEM.validate_json(row[0]) for row in rows[:limit]]
        more = len(rows) > limit
        return Page(data=page, has_more=more, after=page[-1].id if more else None)

    async def add_thread_item(self, thread_id: str, item: ThreadItem, context: Context) -> None:
        await self.save_item(thread_id, item, context)

    async def save_item(self, thread_id: str, item: ThreadItem, context: Context) -> None:
        await self.pool.execute(
            "insert into items (id, thread_id, user_id, created_at, data)"
            " values ($1, $2, $3, $4, $5) on conflict (id) do update set data = excluded.data",
            item.id,
            thread_id,
            context.user_id,
            item.created_at.astimezone(),
            item.model_dump_json(),
        )

    async def load_item(self, thread_id: str, item_id: str, context: Context) -> ThreadItem:
        row = await self.pool.fetchrow(
            "select data from items where id = $1 and thread_id = $2 and user_id = $3",
            item_id,
            thread_id,
            context.user_id,
        )
        if row is None:
            raise NotFoundError(item_id)
        return _ITEM.validate_json(row[0])

    async def delete_thread_item(self, thread_id: str, item_id: str, context: Context) -> None:
        await self.pool.execute(
            "delete from items where id = $1 and thread_id = $2 and user_id = $3",
            item_id,
            thread_id,
            context.user_id,
        )

    async def delete_thread(self, thread_id: str, context: Context) -> None:
        await self.pool.execute(
            "delete from threads where id = $1 and user_id = $2", thread_id, context.user_id
        )

    async def save_attachment(self, attachment: Attachment, context: Context) -> None:
        raise NotImplementedError

    async def load_attachment(self, attachment_id: str, context: Context) -> Attachment:
        raise NotImplementedError

    async def delete_attachment(self, attachment_id: str, context: Context) -> None:
        raise NotImplementedError


async def opened_pool(url: str) -> Any:
    """A pool on a database that has the tables."""
    pool = await asyncpg.create_pool(url, min_size=5, max_size=10)
    await pool.execute(TABLES)
    return pool
